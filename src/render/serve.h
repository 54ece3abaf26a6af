// serve: the life of a render worker, from the fork to its end.
#pragma once

#include <sys/types.h>

#include "base/unique_fd.h"
#include "render/options.h"
#include "worker/wire.h"

namespace pixmilter::render {

// Warms up, seals itself, says that it is ready, and renders one job after the other until the socket
// ends. The exit code of the process: 0 when the front has gone, 1 when it broke the protocol.
int serve(UniqueFd front, worker::wire::Purpose purpose, const Options& options, pid_t zygote);

}  // namespace pixmilter::render
