// metrics_text: all counters as Prometheus reads them. prometheus-cpp's only door.
#pragma once

#include <cstdint>
#include <string>

#include "milter/standing.h"
#include "milter/tally.h"
#include "source/cache_counters.h"
#include "source/fetch_counters.h"
#include "worker/statistics.h"

namespace pixmilter::milter {

// Borrowed; null pointers: nothing is said of that.
struct MetricSources {
  const Tally* tally = nullptr;
  const worker::Statistics* workers = nullptr;
  const Standing* standing = nullptr;
  const source::CacheCounters* cache = nullptr;
  const source::FetchCounters* fetches = nullptr;
  std::uint64_t in_hand = 0;  // messages now
};

// The text exposition format. Every name is there from the start, at 0.
std::string metrics_text(const MetricSources& sources);

}  // namespace pixmilter::milter
