// The configuration file: TOML to Settings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace pixmilter::config {

// One complaint, with its place: "file:line:column: message".
struct Problem {
  std::string file;
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1
  std::string message;
  std::string text(std::string_view prefix = {}) const;  // prefix: before the message
};

struct Loaded {
  Settings settings;              // valid only when there are no problems
  std::vector<Problem> problems;  // all of them, in file order
  bool ok() const { return problems.empty(); }
};

// Reads and checks a file; a file that cannot be read is a problem too.
Loaded load_file(const std::string& path);
// Reads and checks a text; name stands for the file in problems.
Loaded load_text(std::string_view text, const std::string& name);

}  // namespace pixmilter::config
