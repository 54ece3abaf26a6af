// Respawn: how soon a process that died is started again.
//
// At once when it had been up for a while; with growing pauses when it dies as soon as it starts, so that a
// broken installation does not keep a processor busy.
#pragma once

#include <algorithm>

#include "base/deadline.h"

namespace pixmilter::milter {

class Respawn {
 public:
  // longest: the most to wait between two starts.
  explicit Respawn(Milliseconds longest) : longest_(longest) {}

  void started() { started_ = Clock::now(); }
  void died() {
    const bool settled = Clock::now() - started_ >= kSettled;
    pause_ = settled ? Milliseconds(0) : std::clamp(pause_ * 2, kFirstPause, longest_);
    next_ = Clock::now() + pause_;
  }
  // When the next start is due; in the past: now.
  Clock::time_point next() const { return next_; }
  bool due() const { return Clock::now() >= next_; }

 private:
  static constexpr Milliseconds kSettled{1000};
  static constexpr Milliseconds kFirstPause{50};
  Milliseconds longest_;
  Milliseconds pause_{0};
  Clock::time_point started_{};
  Clock::time_point next_{};
};

}  // namespace pixmilter::milter
