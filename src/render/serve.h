// serve: the life of a render worker, from the fork to its end.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"
#include "render/environment.h"
#include "render/options.h"
#include "worker/wire.h"

namespace pixmilter::render {

// What every worker of a zygote finds.
struct Surroundings {
  const Options& options;
  pid_t zygote = 0;
  bool namespaces = false;  // the zygote has its own
  LastWords& last_words;    // of this process
  std::string self_test;    // what the seal was found not to hold against; empty: it holds
};

// Warms up, seals itself, says that it is ready, and renders one job after the other until the socket
// ends. The exit code of the process: 0 when the front has gone, 1 when it broke the protocol, 2 when
// there is no serving as options and kernel are.
int serve(UniqueFd socket, worker::wire::Purpose purpose, const Surroundings& surroundings);

}  // namespace pixmilter::render
