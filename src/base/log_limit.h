// LogLimit: keeps one trouble from filling the disk.
//
// Lines that say the same but for their numbers are one kind. Of each kind so many a minute are written; how
// many more there were is said when the minute is over.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"

namespace pixmilter::log {

// One thread at a time.
class Limit {
 public:
  // a_minute: of one kind; 0: no limit.
  void set(std::uint32_t a_minute) { a_minute_ = a_minute; }

  // Whether the line may be written.
  bool allows(std::string_view line, Clock::time_point now);

  // What to say of kinds whose minute is over: "12 more within a minute: <the first of them>".
  std::vector<std::string> summaries(Clock::time_point now);
  // When summaries() may have something to say; far away where nothing was left out.
  Clock::time_point next_summary() const { return next_; }

 private:
  struct Kind {
    Clock::time_point began;
    std::uint64_t lines = 0;
    std::string first;
  };
  static constexpr std::size_t kMostKinds = 256;
  static constexpr std::size_t kMostOfFirst = 160;  // bytes

  std::uint32_t a_minute_ = 0;
  std::map<std::string, Kind, std::less<>> kinds_;
  Clock::time_point next_ = Clock::time_point::max();
};

}  // namespace pixmilter::log
