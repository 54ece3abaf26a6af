// RedisTier: the cache that several servers share, and how little it may cost.
//
// Mail only ever uses connections that are ready: a thread of its own looks up names, connects, and writes. A
// server that fails is left alone for a while, ever longer, and the thread finds out when it answers again;
// no message is spent on that.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/hash.h"
#include "config/redis_url.h"
#include "source/cache_counters.h"

namespace pixmilter::source {

struct RedisOptions {
  config::RedisAddress address;
  Milliseconds timeout{20};  // for an answer; the thread, for which nobody waits, takes ten times as long
  std::string prefix;        // of keys
  Milliseconds ttl{86'400'000};
  std::uint64_t max_value = 16u << 20;  // bytes; more is neither written nor taken
  std::uint32_t connections = 8;        // at once, for reading
  std::uint32_t failures_to_open = 3;   // in a row; one is enough while connecting
  Milliseconds pause{1'000};  // that a server which fails is left alone; doubles up to longest_pause
  Milliseconds longest_pause{30'000};
};

// Safe from every thread. Never throws but for want of memory.
class RedisTier {
 public:
  // Starts the thread. The process does not fork afterwards.
  RedisTier(const RedisOptions& options, std::shared_ptr<CacheCounters> counters);
  // Lets what is queued be written for as long as a time-out, and leaves the thread to itself where it hangs
  // in a resolver.
  ~RedisTier();
  RedisTier(const RedisTier&) = delete;
  RedisTier& operator=(const RedisTier&) = delete;

  // The values of keys, in order; nothing where there is none, or none in time.
  std::vector<std::optional<std::string>> get(std::span<const Digest> keys, Deadline deadline);

  // Queues a value: make() gives it, in the thread. size: about what it will be. Dropped where the queue is
  // full or the server is left alone.
  void set(const Digest& key, std::uint64_t size, std::function<std::string()> make);

  // Nothing is asked of the server at the moment.
  bool left_alone() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // with the thread
};

}  // namespace pixmilter::source
