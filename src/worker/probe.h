// probe_seal: what this machine lacks for sealing render workers, for `pixmilter check`.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "worker/launcher.h"

namespace pixmilter::worker {

// Starts the render program and a worker of each kind as the front would, and gives what they report: one
// line each, none where nothing lacks. An error where there is no worker at all: then no picture is touched.
Result<std::vector<std::string>> probe_seal(const RenderProgram& program, Deadline deadline);

}  // namespace pixmilter::worker
