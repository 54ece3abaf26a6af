// Deadline: the moment by which a piece of work has to be over, on the monotonic clock.
#pragma once

#include <algorithm>
#include <chrono>

namespace pixmilter {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

class Deadline {
 public:
  // Never passes.
  Deadline() = default;
  explicit Deadline(Clock::time_point at) : at_(at) {}
  static Deadline after(Milliseconds duration) { return Deadline(Clock::now() + duration); }

  bool passed() const { return Clock::now() >= at_; }
  // Time left, never negative. A deadline that never passes has a day left.
  Milliseconds left() const {
    if (at_ == Clock::time_point::max()) return std::chrono::hours(24);
    return std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(at_ - Clock::now()));
  }
  Clock::time_point at() const { return at_; }
  friend Deadline earlier(Deadline a, Deadline b) { return Deadline(std::min(a.at_, b.at_)); }

 private:
  Clock::time_point at_ = Clock::time_point::max();
};

}  // namespace pixmilter
