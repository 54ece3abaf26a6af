#include "cli/command_line.h"

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace pixmilter::cli {
namespace {

void add_configuration(CLI::App* command, std::string& file) {
  command->add_option("-c,--config", file, "Configuration file")->type_name("FILE");
}

void add_message(CLI::App* command, MessageOptions& options) {
  add_configuration(command, options.configuration.file);
  command->add_option("--from", options.sender, "Envelope sender; <> is the null sender")
      ->type_name("ADDRESS");
  command->add_option("--rcpt", options.recipients, "Envelope recipient; may be repeated")
      ->type_name("ADDRESS")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);  // the message's file may follow
  command->add_option("--ip", options.ip, "Address of the client; without it the message is local")
      ->type_name("ADDRESS");
  command->add_option("--auth", options.user, "Name the client has authenticated with")->type_name("USER");
  command
      ->add_option("--macro", options.macros,
                   "A milter macro, such as daemon_name=submission; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);  // the message's file may follow
  command->add_option("FILE", options.file, "Message; standard input without it or for -");
}

}  // namespace

int run(int argc, char** argv, const Serve& serve) {
  CLI::App app("Finds images in outgoing mail, renders them in memory and attaches them properly.",
               "pixmilter");
  app.set_version_flag("--version", "pixmilter " PIXMILTER_VERSION);
  app.require_subcommand(1);

  ServeCommand serve_options;
  CLI::App* serve_command = app.add_subcommand("serve", "Serve mail servers as a milter, in the foreground");
  add_configuration(serve_command, serve_options.configuration.file);
  serve_command
      ->add_option("--socket", serve_options.socket,
                   "Where to listen, instead of what the configuration says")
      ->type_name("unix:PATH|inet:PORT@HOST|inet6:PORT@HOST|fd:N");
  serve_command
      ->add_option("--log", serve_options.log, "Where to log: stderr, syslog, or auto: stderr if a terminal")
      ->check(CLI::IsMember({"auto", "stderr", "syslog"}))
      ->type_name("auto|stderr|syslog");
  CLI::Option* user =
      serve_command->add_option("--user", serve_options.user, "Whom root becomes once the socket is open");
  user->type_name("NAME");
  serve_command->add_option("--group", serve_options.group, "Group to become, instead of the user's own")
      ->type_name("NAME")
      ->needs(user);
  serve_command->add_option("--pidfile", serve_options.pid_file, "File to write the process id to")
      ->type_name("FILE");

  MessageOptions rewrite_options;
  CLI::App* rewrite_command =
      app.add_subcommand("rewrite", "Rewrite one message, from FILE or stdin to stdout");
  add_message(rewrite_command, rewrite_options);

  ExplainOptions explain_options;
  CLI::App* explain_command = app.add_subcommand("explain", "Say what would be done with a message, and why");
  add_message(explain_command, explain_options.message);
  explain_command->add_flag("--json", explain_options.json, "JSON instead of text");

  PreviewOptions preview_options;
  CLI::App* preview_command =
      app.add_subcommand("preview", "Show a message before and after, as a page for a browser");
  add_message(preview_command, preview_options.message);
  preview_command
      ->add_option("-o,--output", preview_options.output, "The page; standard output without it or for -")
      ->type_name("OUT.html");

  CheckOptions check_options;
  CLI::App* check_command = app.add_subcommand("check", "Say what is wrong with the configuration");
  add_configuration(check_command, check_options.configuration.file);
  CLI::Option* check_user = check_command->add_option(
      "--user", check_options.user, "Whom serve will become: judge what that user can read; for root");
  check_user->type_name("NAME");
  check_command->add_option("--group", check_options.group, "Group to become, instead of the user's own")
      ->type_name("NAME")
      ->needs(check_user);
  CLI::Option* mta = check_command->add_flag("--mta", check_options.mta,
                                             "Ask postconf, too, for what would lose or delay mail");
  check_command
      ->add_option("--config-dir", check_options.postfix_configuration,
                   "Postfix's configuration directory, for --mta")
      ->type_name("DIR")
      ->needs(mta);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  if (serve_command->parsed()) return serve(serve_options);
  if (rewrite_command->parsed()) return rewrite(rewrite_options);
  if (explain_command->parsed()) return explain(explain_options);
  if (preview_command->parsed()) return preview(preview_options);
  if (check_command->parsed()) return check(check_options);
  return kExitUsage;
}

}  // namespace pixmilter::cli
