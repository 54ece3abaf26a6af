#include "cli/configuration.h"

#include <unistd.h>

#include <cstdio>

#include "config/load.h"

namespace pixmilter::cli {

std::string configuration_file(const ConfigurationOption& option) {
  if (!option.file.empty()) return option.file;
  return ::access(kDefaultConfiguration, F_OK) == 0 ? kDefaultConfiguration : "";
}

std::optional<config::Settings> load_configuration(const ConfigurationOption& option) {
  const std::string file = configuration_file(option);
  if (file.empty()) return config::Settings{};
  config::Loaded loaded = config::load_file(file);
  if (loaded.ok()) return std::move(loaded.settings);
  for (const config::Problem& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
  return std::nullopt;
}

}  // namespace pixmilter::cli
