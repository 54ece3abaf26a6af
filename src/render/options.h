// What the render program is told on its command line (worker/wire_start.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace pixmilter::render {

struct Options {
  int zygote_fd = -1;
  bool sandbox_required = true;
  std::uint64_t memory = 512ull << 20;  // bytes that a worker may add to what it has when it is ready
  std::uint64_t cpu_seconds = 120;      // of one worker, its whole life
  std::vector<std::string> loaders = {"png", "jpeg", "gif", "webp", "tiff", "heif", "svg"};
};

// Reads the arguments behind the program's name; says what is wrong with them.
Result<Options> read_options(int argc, char** argv);

}  // namespace pixmilter::render
