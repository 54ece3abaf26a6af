// The seal: what a worker gives up before it sees the first picture.
//
// A decoder that is taken over then has memory, arithmetic, its threads, and one socket to answer on. The
// steps stand in the order in which they are taken; those that bind only the calling thread, or that the
// kernel allows to single threads only, come before the warm-up, which starts threads.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "render/options.h"
#include "worker/wire.h"

namespace pixmilter::render {

// The number that a worker's socket has from shed_privileges() on.
inline constexpr int kWorkerSocket = 3;

// What a kernel did not give, each as half a sentence: "no Landlock: ...".
using Missing = std::vector<std::string>;

// The zygote, once, while it has one thread: network, mount, IPC and host name of its own, in a user
// namespace where it is not root, and no capabilities in it. False where the kernel refuses.
bool enter_namespaces();

// A worker, straight after the fork: no descriptors but its socket, which is moved, and the standard ones; no
// groups, no root, no capabilities, no new privileges, not dumpable; it dies with its zygote; it can write no
// file. namespaces: what enter_namespaces() said. Fails when capabilities cannot be given up, or the zygote
// has gone.
Status shed_privileges(UniqueFd& socket, pid_t zygote, bool namespaces, Missing& missing);

// The rest, after the warm-up: Landlock over all threads, resource limits, and at last the filter of
// system calls. Fails when that filter cannot be had; what else lacks goes to missing.
Status seal(worker::wire::Purpose purpose, const Options& options, Missing& missing);

}  // namespace pixmilter::render
