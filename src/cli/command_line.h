// The command line of pixmilter. CLI11's only door.
#pragma once

#include <functional>

#include "cli/options.h"

namespace pixmilter::cli {

// What a command that lives on this floor's neighbour does; main brings them together.
using Serve = std::function<int(const ServeCommand&)>;

// Parses the arguments, runs the command, returns the exit code.
int run(int argc, char** argv, const Serve& serve);

}  // namespace pixmilter::cli
