// A file that is there whole or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pixmilter::cli {

// Writes through a temporary file beside it, readable by its owner only: what is written came from mail. What
// is no regular file (a pipe, /dev/stdout) is written to directly; "-" and "" are standard output.
Status write_file(const std::string& file, std::string_view bytes);

}  // namespace pixmilter::cli
