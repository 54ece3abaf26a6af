// Watchdog: tells the service manager that mail is being served, as long as that is so.
//
// A ping that only says "the master's loop turns" would keep a front that hangs. So each ping is earned: a
// connection to the listening socket, as an MTA would make it, has to be answered. Without an answer there is
// no ping, and the manager starts the service again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/deadline.h"
#include "base/unique_fd.h"

namespace pixmilter::milter {

// What the manager asks of this process ($WATCHDOG_USEC, $WATCHDOG_PID); nothing when it does not watch.
std::optional<Milliseconds> watchdog_interval();

// Never blocks; one thread, that of the master's loop, which polls fd() for events() and calls step() when it
// is ready or next() has come.
class Watchdog {
 public:
  // interval: after which the manager gives up. listen_fd stays the caller's.
  Watchdog(int listen_fd, Milliseconds interval);

  int fd() const { return probe_.get(); }  // -1 between two probes
  short events() const;
  Clock::time_point next() const { return next_; }
  // True when an answer has come: now is the time to ping.
  bool step();

 private:
  bool begin();
  bool ask();
  bool answered();
  void rest(Milliseconds pause);

  int listen_fd_;
  Milliseconds pause_;  // between two probes, and for one
  UniqueFd probe_;      // the connection of the one under way
  bool asked_ = false;  // it has been sent what an MTA says first
  bool complained_ = false;
  Clock::time_point next_;  // the next probe; while one is under way, the end of its time
};

}  // namespace pixmilter::milter
