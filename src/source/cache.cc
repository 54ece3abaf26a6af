#include "source/cache.h"

#include <algorithm>
#include <utility>

namespace pixmilter::source {
namespace {

RedisOptions redis_options(const config::Cache& settings) {
  RedisOptions options;
  options.address = *config::parse_redis_url(settings.redis);
  options.timeout = settings.redis_timeout;
  options.prefix = settings.redis_prefix;
  options.ttl = settings.redis_ttl;
  options.max_value = settings.redis_max_value;
  return options;
}

}  // namespace

Cache::Cache(const config::Cache& settings, std::shared_ptr<CacheCounters> counters)
    : counters_(std::move(counters)), memory_(settings.memory, *counters_) {
  if (!settings.redis.empty()) redis_.emplace(redis_options(settings), counters_);
}

CachedPicturePtr Cache::find(const Digest& key, bool counts) {
  auto found = std::static_pointer_cast<const CachedPicture>(memory_.get(key));
  if (counts) ++(found ? counters_->hits : counters_->misses);
  return found;
}

std::vector<CachedPicturePtr> Cache::find_shared(std::span<const Digest> keys, std::uint64_t max_pixels,
                                                 Milliseconds& time_left, Deadline deadline) {
  std::vector<CachedPicturePtr> pictures(keys.size());
  if (!redis_ || keys.empty() || time_left <= Milliseconds(0)) return pictures;
  const Clock::time_point start = Clock::now();
  const auto values = redis_->get(keys, earlier(deadline, Deadline::after(time_left)));
  time_left -= std::chrono::ceil<Milliseconds>(Clock::now() - start);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!values[i]) continue;
    Result<CachedPicturePtr> picture = read_entry(keys[i], *values[i], max_pixels);
    ++(picture ? counters_->redis_hits : counters_->redis_rejected);
    if (!picture) continue;
    pictures[i] = std::move(*picture);
    memory_.put(keys[i], pictures[i], footprint(*pictures[i]));
  }
  return pictures;
}

void Cache::keep(const Digest& key, const CachedPicturePtr& picture) {
  memory_.put(key, picture, footprint(*picture));
  if (redis_) redis_->set(key, footprint(*picture), [key, picture] { return write_entry(key, *picture); });
}

std::shared_ptr<Cache> make_cache(const config::Cache& settings, std::shared_ptr<CacheCounters> counters) {
  if (settings.memory == 0 && settings.redis.empty()) return nullptr;
  return std::make_shared<Cache>(settings, std::move(counters));
}

}  // namespace pixmilter::source
