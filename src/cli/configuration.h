// Finds and loads the configuration for a command.
#pragma once

#include <optional>
#include <string>

#include "cli/options.h"
#include "config/settings.h"

namespace pixmilter::cli {

// The settings, or nothing after all problems were written to stderr as "file:line:column: message".
std::optional<config::Settings> load_configuration(const ConfigurationOption& option);

// The file that load_configuration() would read; empty where built-in defaults are used.
std::string configuration_file(const ConfigurationOption& option);

}  // namespace pixmilter::cli
