// The zygote: forks render workers at the front's request, and does nothing else.
//
// It has started libvips but warmed up nothing, so it has one thread and can fork; what a fork costs is
// small against starting the program, and every worker begins from the same clean state.
#pragma once

#include "base/unique_fd.h"
#include "render/environment.h"
#include "render/options.h"

namespace pixmilter::render {

// Serves the front until the socket ends; then all workers are gone too. namespaces: whether the process
// is in its own (render/seal.h). last_words: where a worker leaves its own. The exit code of the program.
int run_zygote(UniqueFd front, const Options& options, bool namespaces, LastWords& last_words);

}  // namespace pixmilter::render
