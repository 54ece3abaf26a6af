// Reading a message and writing one, whole, with errors that say what went wrong.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pixmilter::cli {

// All bytes of a file, or of standard input for "" and "-".
Result<std::string> read_input(const std::string& file);

// All bytes to standard output.
Status write_output(std::string_view bytes);

}  // namespace pixmilter::cli
