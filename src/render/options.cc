#include "render/options.h"

#include <charconv>
#include <string_view>
#include <system_error>

#include "worker/wire_start.h"

namespace pixmilter::render {

namespace wire = worker::wire;

namespace {

template <class T>
bool read_number(std::string_view text, T& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size();
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto comma = text.find(',');
    words.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return words;
}

bool apply(std::string_view option, std::string_view value, Options& options) {
  if (option == wire::kOptionFd) return read_number(value, options.zygote_fd) && options.zygote_fd >= 0;
  if (option == wire::kOptionMemory) return read_number(value, options.memory);
  if (option == wire::kOptionCpu) return read_number(value, options.cpu_seconds);
  if (option == wire::kOptionLoaders) {
    options.loaders = split(value);
    return true;
  }
  if (option == wire::kOptionSandbox) {
    options.sandbox_required = value == "required";
    return options.sandbox_required || value == "best-effort";
  }
  return false;
}

}  // namespace

Result<Options> read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    if (i + 1 == argc) return Error{option + ": unknown, or without its value"};
    if (!apply(option, argv[i + 1], options)) return Error{option + " " + argv[i + 1] + ": not understood"};
  }
  if (options.zygote_fd < 0) return Error{std::string(wire::kOptionFd) + " is missing"};
  return options;
}

}  // namespace pixmilter::render
