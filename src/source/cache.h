// Cache: what has been made once is not made again: in memory, and in Redis where the configuration names
// one.
//
// Everything is found by a SHA-256 of what it was made from, so that a message only ever gets what its own
// bytes would have given.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/hash.h"
#include "config/settings.h"
#include "image/job.h"
#include "source/cache_counters.h"
#include "source/cached_picture.h"
#include "source/memory_cache.h"
#include "source/redis_tier.h"
#include "source/single_flight.h"

namespace pixmilter::source {

// What became of a render that others wait for.
struct Landing {
  CachedPicturePtr picture;  // nothing: it failed, and status and reason say why
  image::Status status = image::Status::crashed;
  std::string reason;
  bool hurried = false;  // whoever made it was short of time
};

// Safe from every thread.
class Cache {
 public:
  // settings.redis is valid. Has a thread where it names a server: the process does not fork afterwards.
  // Counters may be those of a cache before this one, so that they go on over a reload.
  explicit Cache(const config::Cache& settings,
                 std::shared_ptr<CacheCounters> counters = std::make_shared<CacheCounters>());

  // A picture that memory has. Only the first look of a message counts as a hit or a miss.
  CachedPicturePtr find(const Digest& key, bool counts = true);
  // Pictures that Redis has, by keys and in their order, checked; memory has them from here on. time_left is
  // what Redis may still cost the message; what it took is taken off.
  std::vector<CachedPicturePtr> find_shared(std::span<const Digest> keys, std::uint64_t max_pixels,
                                            Milliseconds& time_left, Deadline deadline);
  void keep(const Digest& key, const CachedPicturePtr& picture);

  SingleFlight<Landing>& flights() { return flights_; }
  void count_join() { ++counters_->joins; }
  const CacheCounters& counters() const { return *counters_; }

 private:
  const std::shared_ptr<CacheCounters> counters_;
  MemoryCache memory_;
  SingleFlight<Landing> flights_;
  std::optional<RedisTier> redis_;
};

// Nothing where [cache] turns everything off.
std::shared_ptr<Cache> make_cache(const config::Cache& settings, std::shared_ptr<CacheCounters> counters =
                                                                     std::make_shared<CacheCounters>());

}  // namespace pixmilter::source
