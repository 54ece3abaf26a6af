// Attendants: the processes of one kind that the master starts for the front: render zygotes, or fetch
// processes (source/fetch_process.h).
//
// One is started ahead of need and handed to the front as a line to it, on which the front asks for another
// when that one has died or the configuration has changed. With its line closed a process ends by itself.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "config/settings.h"
#include "milter/respawn.h"

namespace pixmilter::milter {

// "exited with status 1", "was killed by signal 9 (SIGKILL)". status: of waitpid(2).
std::string how_it_ended(int status);

struct AttendantKind {
  std::string name;     // in the log: "fetch process"
  std::string without;  // what cannot be done without one: "no URL can be fetched"
  // Starts a process that speaks on the socket, which stays the caller's. Empty: there are none.
  std::function<Result<pid_t>(int socket, const config::Settings&)> start;
  // Whether these settings need one at all.
  std::function<bool(const config::Settings&)> needed;
};

class Attendants {
 public:
  explicit Attendants(AttendantKind kind) : kind_(std::move(kind)) {}

  // The front wants a line. Another front, that it wants none yet.
  void want() { wanted_ = true; }
  void want_nothing() { wanted_ = false; }
  // What was started for other settings is of no use to a front that comes for a line from now on.
  void renew();
  // Starts a process where one is missing. ending: only one that is wanted, by a message in hand.
  void start_what_is_missing(const config::Settings& settings, bool ending);
  // The line to hand to the front, where it wants one and there is one. The caller's copy goes with it, so
  // that the process ends with the front.
  std::optional<UniqueFd> take_wanted_line();
  // When a process is due to be started.
  Clock::time_point next_start(const config::Settings& settings, bool ending) const;

  // Whether the process that has ended was one of these. status: of waitpid(2). With its front gone one ends
  // by itself, and properly; any other end is logged.
  bool reap(pid_t pid, int status);
  bool empty() const { return processes_.empty(); }
  // Kills what is left and reaps it.
  void kill_all();
  // In a child: the lines are not its own.
  void forget() { processes_.clear(); }

 private:
  struct Process {
    pid_t pid;
    UniqueFd line;  // until it is handed over
  };
  bool missing(const config::Settings& settings, bool ending) const;

  AttendantKind kind_;
  std::vector<Process> processes_;  // oldest first
  Respawn respawn_{Milliseconds(10'000)};
  bool wanted_ = false;
};

}  // namespace pixmilter::milter
