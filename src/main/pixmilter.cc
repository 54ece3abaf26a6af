// pixmilter: the milter's master process and the commands.
#include "cli/command_line.h"
#include "milter/serve.h"

namespace {

using pixmilter::milter::ServeOptions;

int serve(const pixmilter::cli::ServeCommand& command) {
  ServeOptions options;
  options.config_file = command.configuration.file;
  options.default_file = pixmilter::cli::kDefaultConfiguration;
  options.socket = command.socket;
  options.user = command.user;
  options.group = command.group;
  options.pid_file = command.pid_file;
  if (command.log == "stderr") options.log = ServeOptions::Log::standard_error;
  if (command.log == "syslog") options.log = ServeOptions::Log::syslog;
  return pixmilter::milter::serve(options);
}

}  // namespace

int main(int argc, char** argv) { return pixmilter::cli::run(argc, argv, serve); }
