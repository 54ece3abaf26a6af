// The command line of pixmilter. CLI11's only door.
#pragma once

namespace pixmilter::cli {

// Parses the arguments, runs the command, returns the exit code.
int run(int argc, char** argv);

}  // namespace pixmilter::cli
