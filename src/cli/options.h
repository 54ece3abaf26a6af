// What the commands take from the command line, as plain values; command_line.cc fills them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pixmilter::cli {

// The exit codes of DESIGN.md section 4 (sysexits.h, as pipe(8) reads them).
enum Exit : int {
  kExitOk = 0,
  kExitUsage = 64,
  kExitNoMessage = 65,
  kExitRejected = 69,
  kExitTemporary = 75,
  kExitConfiguration = 78,
};

inline constexpr char kDefaultConfiguration[] = "/etc/pixmilter/pixmilter.toml";

struct ConfigurationOption {
  std::string file;  // empty: kDefaultConfiguration if it exists, else built-in defaults
};

struct MessageOptions {
  ConfigurationOption configuration;
  std::optional<std::string> sender;    // --from; not given: unknown
  std::vector<std::string> recipients;  // --rcpt
  std::optional<std::string> ip;        // --ip; not given: handed in on this host
  std::string user;                     // --auth
  std::vector<std::string> macros;      // --macro name=value, as the MTA would send them
  std::string file;                     // empty or "-": standard input
};

struct ExplainOptions {
  MessageOptions message;
  bool json = false;
};

struct PreviewOptions {
  MessageOptions message;
  std::string output;  // empty or "-": standard output
};

struct CheckOptions {
  ConfigurationOption configuration;
  std::string user;                   // --user: whom serve will become; empty: whoever calls
  std::string group;                  // --group
  bool mta = false;                   // --mta: look at Postfix's configuration too
  std::string postfix_configuration;  // --config-dir: Postfix's; empty: its own default, or MAIL_CONFIG
};

struct ServeCommand {
  ConfigurationOption configuration;
  std::string socket;        // empty: the configuration's
  std::string log = "auto";  // auto, stderr, syslog
  std::string user;          // whom root becomes; empty: stays root
  std::string group;         // with user; empty: that user's own
  std::string pid_file;      // empty: none
};

}  // namespace pixmilter::cli
