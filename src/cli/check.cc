// pixmilter check: what an administrator runs before a reload.
#include <cstdio>

#include "cli/commands.h"
#include "cli/configuration.h"

namespace pixmilter::cli {

int check(const ConfigurationOption& option) {
  if (!load_configuration(option)) return kExitConfiguration;
  const std::string file = configuration_file(option);
  std::printf("%s: ok\n", file.empty() ? "built-in defaults" : file.c_str());
  return kExitOk;
}

}  // namespace pixmilter::cli
