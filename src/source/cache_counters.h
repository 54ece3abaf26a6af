// CacheCounters: what the cache of rendered pictures has done, for the metrics.
#pragma once

#include <atomic>
#include <cstdint>

namespace pixmilter::source {

// Of one or more memory caches. Written by every thread without a lock; reading takes no snapshot of all at
// one moment.
struct MemoryCounters {
  using Count = std::atomic<std::uint64_t>;
  Count evictions{0};  // entries that gave way to others
  Count too_large{0};  // entries that found no room
  Count entries{0};    // now
  Count bytes{0};      // they take, everything counted
};

struct CacheCounters : MemoryCounters {
  Count hits{0};    // pictures that memory had
  Count misses{0};  // pictures that it had not, whatever became of them then
  Count joins{0};   // pictures that waited for another message's render

  Count redis_hits{0};
  Count redis_misses{0};
  Count redis_rejected{0};  // entries that did not pass the checks
  Count redis_writes{0};
  Count redis_failures{0};  // connections refused or lost, time-outs, errors as answers
  Count redis_skipped{0};  // reads and writes that were not tried: Redis is left alone, or they were too many
};

}  // namespace pixmilter::source
