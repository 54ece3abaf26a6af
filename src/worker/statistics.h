// Statistics: what the render workers have done so far, as plain numbers.
//
// They outlive a pool, so that a change of [render] does not set them back.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/histogram.h"

namespace pixmilter::worker {

// Why a worker is no longer there.
enum class WorkerEnd : std::uint8_t {
  used,      // has seen a risky format: serves no other message
  worn,      // has had as many jobs as one may have, or asked to be replaced
  timeout,   // killed: a picture took too long
  crashed,   // died on a picture
  violated,  // broke the protocol
  idle,      // died without one
};
inline constexpr std::size_t kWorkerEnds = 6;
inline std::string_view name(WorkerEnd end) {
  constexpr std::array<std::string_view, kWorkerEnds> kNames = {"used",    "worn",     "timeout",
                                                                "crashed", "violated", "idle"};
  return kNames[static_cast<std::size_t>(end)];
}

// Safe from every thread.
struct Statistics {
  using Count = std::atomic<std::uint64_t>;
  std::array<Count, 6> pictures{};  // by image::Status
  std::array<Count, kWorkerEnds> ends{};
  Count workers_started{0};
  Count zygotes_started{0};
  Count hurried{0};                      // pictures encoded the fastest way
  std::atomic<std::int64_t> at_work{0};  // pictures that a worker has now
  std::atomic<std::int64_t> waiting{0};  // pictures that wait for one now
  std::atomic<bool> failing{false};      // no worker can be had
  Histogram render;                      // from when a worker has the picture to its answer
  Histogram wait;                        // before that

  void ended(WorkerEnd end) { ++ends[static_cast<std::size_t>(end)]; }
};

}  // namespace pixmilter::worker
