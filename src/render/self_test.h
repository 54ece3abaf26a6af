// The self-test: whether the seal holds, tried out before the first worker is made.
#pragma once

#include <string>

#include "render/options.h"

namespace pixmilter::render {

// In a process each, sealed like a worker, a second thread that was there before the seal tries to open a
// file, to make a socket, to run a program. What went through, or nothing. Forks: only while the process
// has one thread and reaps no children elsewhere.
std::string self_test(const Options& options, bool namespaces);

}  // namespace pixmilter::render
