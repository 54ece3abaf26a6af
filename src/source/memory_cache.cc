#include "source/memory_cache.h"

#include <utility>

namespace pixmilter::source {
namespace {

// Of an entry beside its value: the nodes of list and index, their part of the bucket array while that
// doubles, and what malloc adds to each block.
constexpr std::uint64_t kEntryOverhead = 256;
// Of the limit, in percent; the rest is always there for what is new.
constexpr std::uint64_t kProtectedShare = 80;

}  // namespace

MemoryCache::~MemoryCache() { publish(0, 0); }

MemoryCache::Value MemoryCache::get(const Digest& key) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  const Segment::iterator entry = found->second;
  if (entry->is_protected) {
    protected_.splice(protected_.begin(), protected_, entry);
    return entry->value;
  }
  const std::uint64_t room = limit_ / 100 * kProtectedShare;
  if (entry->bytes > room) {  // it would push out all the others
    probation_.splice(probation_.begin(), probation_, entry);
    return entry->value;
  }
  entry->is_protected = true;
  protected_size_ += entry->bytes;
  protected_.splice(protected_.begin(), probation_, entry);
  while (protected_size_ > room) {
    const Segment::iterator last = std::prev(protected_.end());
    last->is_protected = false;
    protected_size_ -= last->bytes;
    probation_.splice(probation_.begin(), protected_, last);
  }
  return entry->value;
}

void MemoryCache::put(const Digest& key, Value value, std::uint64_t bytes) {
  bytes += kEntryOverhead;
  std::vector<Value> dropped;  // ends after the lock: freeing takes its time
  const std::lock_guard lock(mutex_);
  if (const auto found = index_.find(key); found != index_.end()) take_out(found->second, dropped);
  if (bytes > limit_ - protected_size_) {
    if (limit_ > 0) ++counters_.too_large;
    return publish(index_.size(), size_);
  }
  while (size_ + bytes > limit_) {
    take_out(std::prev(probation_.end()), dropped);
    ++counters_.evictions;
  }
  probation_.push_front({key, std::move(value), bytes, false});
  try {
    index_.emplace(key, probation_.begin());
  } catch (...) {
    probation_.pop_front();
    throw;
  }
  size_ += bytes;
  publish(index_.size(), size_);
}

void MemoryCache::remove(const Digest& key) {
  std::vector<Value> dropped;
  const std::lock_guard lock(mutex_);
  if (const auto found = index_.find(key); found != index_.end()) take_out(found->second, dropped);
  publish(index_.size(), size_);
}

std::uint64_t MemoryCache::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

void MemoryCache::take_out(Segment::iterator entry, std::vector<Value>& dropped) {
  dropped.push_back(std::move(entry->value));
  size_ -= entry->bytes;
  if (entry->is_protected) protected_size_ -= entry->bytes;
  index_.erase(entry->key);
  (entry->is_protected ? protected_ : probation_).erase(entry);
}

// The counters may be those of several caches: one that goes takes what was its own.
void MemoryCache::publish(std::uint64_t entries, std::uint64_t bytes) {
  counters_.entries += entries - std::exchange(published_entries_, entries);
  counters_.bytes += bytes - std::exchange(published_bytes_, bytes);
}

}  // namespace pixmilter::source
