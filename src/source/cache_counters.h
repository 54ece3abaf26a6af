// CacheCounters: what the cache has done since it was made, for the metrics.
#pragma once

#include <atomic>
#include <cstdint>

namespace pixmilter::source {

// Written by every thread without a lock; reading takes no snapshot of all at one moment.
struct CacheCounters {
  using Count = std::atomic<std::uint64_t>;
  Count hits{0};       // pictures that memory had
  Count misses{0};     // pictures that it had not, whatever became of them then
  Count joins{0};      // pictures that waited for another message's render
  Count evictions{0};  // entries that gave way to others
  Count too_large{0};  // entries that found no room
  Count entries{0};    // in memory now
  Count bytes{0};      // they take, everything counted

  Count redis_hits{0};
  Count redis_misses{0};
  Count redis_rejected{0};  // entries that did not pass the checks
  Count redis_writes{0};
  Count redis_failures{0};  // connections refused or lost, time-outs, errors as answers
  Count redis_skipped{0};  // reads and writes that were not tried: Redis is left alone, or they were too many

  Count fetch_hits{0};         // answers that were fresh
  Count fetch_revalidated{0};  // stale ones that the server confirmed
  Count fetch_misses{0};
};

}  // namespace pixmilter::source
