// Fetchers: the master's fetch processes (source/fetch_process.h).
//
// One that is started ahead of the first URL, where [fetch] allows something at all; handed to the front,
// which asks for another when it has died or the configuration has changed. With its line closed a process
// ends by itself.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "config/settings.h"
#include "milter/respawn.h"

namespace pixmilter::milter {

class Fetchers {
 public:
  // Starts a process that speaks on the socket, which stays the caller's.
  using Start = std::function<Result<pid_t>(int socket, const config::Settings&)>;

  explicit Fetchers(Start start) : start_(std::move(start)) {}

  // The front wants a line. Another front, that it wants none yet.
  void want() { wanted_ = true; }
  void want_nothing() { wanted_ = false; }
  // What was started for other settings is of no use to a front that comes for a line from now on.
  void renew();
  // Starts a process where one is missing. ending: only one that is wanted.
  void start_what_is_missing(const config::Settings& settings, bool ending);
  // The line to hand to the front, where it wants one and there is one.
  std::optional<UniqueFd> take_wanted_line();
  // When a process is due to be started.
  Clock::time_point next_start(const config::Settings& settings, bool ending) const;

  // Whether the process that has ended was one of these. expected: by itself, and properly.
  bool reap(pid_t pid, bool expected);
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

  Start start_;
  std::vector<Process> processes_;  // oldest first
  Respawn respawn_{Milliseconds(10'000)};
  bool wanted_ = false;
};

}  // namespace pixmilter::milter
