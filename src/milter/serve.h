// serve: the milter as a command, in the foreground.
#pragma once

#include <cstdint>
#include <string>

#include "milter/front.h"
#include "milter/master.h"

namespace pixmilter::milter {

struct ServeOptions {
  std::string config_file;   // empty: default_file
  std::string default_file;  // where it exists when it is looked for; else built-in defaults
  std::string socket;        // goes before the file's where it is not empty
  std::string user;          // whom root becomes once the socket is open; empty: nobody else
  std::string group;         // with user; empty: that user's own
  std::string pid_file;      // empty: none
  enum class Log : std::uint8_t {
    automatic,  // stderr when that is a terminal or there is no syslog, else syslog
    standard_error,
    syslog,
  } log = Log::automatic;
};

// Gives the exit status (sysexits): 0 after SIGTERM or SIGINT, 64 for a user that cannot be, 71 where
// becoming that user fails, 75 where the socket or the pid file cannot be had now, 78 for a configuration
// that cannot be used. Problems go to stderr and to the log. Call it in a process that has no threads yet.
int serve(const ServeOptions& options);

}  // namespace pixmilter::milter
