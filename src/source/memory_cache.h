// MemoryCache: a segmented LRU with a limit in bytes.
//
// What is new begins on probation; what is asked for again becomes protected. Only what is on probation is
// thrown out for something new, so a newsletter's thousand pictures of one use each pass through without
// washing out the logo that every message has. What falls out of the protected segment gets a second
// probation.
#pragma once

#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "source/cache_counters.h"

namespace pixmilter::source {

// Safe from every thread. Values are shared: one that is thrown out lives on with whoever holds it.
class MemoryCache {
 public:
  // What a key stands for is its maker's business; the type of a value has to follow from its key.
  using Value = std::shared_ptr<const void>;

  // limit in bytes, 0: keeps nothing. The counters outlive the cache.
  MemoryCache(std::uint64_t limit, MemoryCounters& counters) : limit_(limit), counters_(counters) {}
  ~MemoryCache();
  MemoryCache(const MemoryCache&) = delete;
  MemoryCache& operator=(const MemoryCache&) = delete;

  // Nothing where it is not there.
  Value get(const Digest& key);
  // bytes: what the value takes, its own overhead counted; that of an entry is added here. A value for a key
  // that is there replaces it. One that probation has no room for is not kept.
  void put(const Digest& key, Value value, std::uint64_t bytes);
  void remove(const Digest& key);

  // Bytes of all entries; never more than the limit.
  std::uint64_t size() const;

 private:
  struct Entry {
    Digest key;
    Value value;
    std::uint64_t bytes = 0;
    bool is_protected = false;
  };
  using Segment = std::list<Entry>;  // the latest first
  // A digest is as good a hash as any part of it.
  struct DigestHash {
    std::size_t operator()(const Digest& digest) const {
      std::size_t hash;
      std::memcpy(&hash, digest.data(), sizeof hash);
      return hash;
    }
  };

  void take_out(Segment::iterator entry, std::vector<Value>& dropped);
  void publish(std::uint64_t entries, std::uint64_t bytes);

  const std::uint64_t limit_;
  MemoryCounters& counters_;
  mutable std::mutex mutex_;
  Segment probation_;
  Segment protected_;
  std::unordered_map<Digest, Segment::iterator, DigestHash> index_;
  std::uint64_t size_ = 0;
  std::uint64_t protected_size_ = 0;
  // As the counters have them:
  std::uint64_t published_entries_ = 0;
  std::uint64_t published_bytes_ = 0;
};

}  // namespace pixmilter::source
