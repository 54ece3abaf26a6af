// Pace: whether the pictures of a message have to hurry.
//
// A message has a time by which it must be answered. Where its pictures would not all be ready by then at the
// usual pace, what remains is encoded the fastest way (image/job.h, hurried): larger, but there. What is not
// ready even so stays as it was.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/deadline.h"

namespace pixmilter::worker {

// Of one call; one thread.
class Pace {
 public:
  Pace(Clock::time_point began, Deadline deadline)
      : deadline_(deadline.at()), reserve_((deadline_ - began) / 4) {}

  // A picture of so many bytes had a worker for so long without hurrying.
  void took(Clock::duration time, std::size_t bytes) {
    spent_ += time;
    ++done_;
    weight_ += weight(bytes);
  }

  // What has not begun. It grows large with a few large pictures or with many small ones.
  struct Left {
    std::size_t pictures = 0;
    double weight = 0;
    void add(std::size_t bytes) {
      ++pictures;
      weight += Pace::weight(bytes);
    }
  };
  // Whether the next picture has to, when so much is left with itself, and so many workers are at work for
  // the message with the one that is to have it. The last quarter of the time is for those that hurry.
  bool hurries(Clock::time_point now, const Left& left, std::size_t workers) const {
    const auto usable = std::chrono::duration<double>(deadline_ - now - reserve_).count();
    if (done_ == 0) return usable <= 0;
    // One small picture that took long says little of a large one, nor a large one of many small ones: it
    // takes both views to hurry.
    const double spent = std::chrono::duration<double>(spent_).count();
    const double by_number = spent / static_cast<double>(done_) * static_cast<double>(left.pictures);
    const double by_size = spent / weight_ * left.weight;
    return std::min(by_number, by_size) / static_cast<double>(std::max<std::size_t>(workers, 1)) >= usable;
  }

 private:
  // Below this size, in bytes, pictures cost about the same.
  static constexpr std::size_t kSmall = 16 << 10;
  static double weight(std::size_t bytes) { return static_cast<double>(std::max(bytes, kSmall)); }

  Clock::time_point deadline_;
  Clock::duration reserve_;
  Clock::duration spent_{0};
  std::uint64_t done_ = 0;
  double weight_ = 0;
};

}  // namespace pixmilter::worker
