// Refusals: pictures that have ended several workers, by hash, for a while.
//
// A picture that kills its decoder would otherwise cost a worker in every message that bears it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>

#include "base/deadline.h"
#include "base/hash.h"

namespace pixmilter::worker {

// Safe from every thread.
class Refusals {
 public:
  // A picture is refused for this long after the last of so many kills.
  Refusals(std::uint32_t kills, Milliseconds duration) : kills_(kills), duration_(duration) {}

  // A worker died of these bytes, or took too long over them.
  void note(std::string_view bytes);
  // Costs nothing as long as no picture is on record.
  bool refused(std::string_view bytes);

 private:
  struct Record {
    std::uint32_t kills = 0;
    Deadline until;
  };
  void forget_old();

  const std::uint32_t kills_;
  const Milliseconds duration_;
  std::mutex mutex_;
  std::map<Digest, Record> records_;
};

}  // namespace pixmilter::worker
