#include "source/memory_cache.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

namespace pixmilter::source {
namespace {

constexpr std::uint64_t kLimit = 100'000;

Digest key(int n) { return sha256(std::to_string(n)); }
MemoryCache::Value value(int n) { return std::make_shared<const int>(n); }
int number(const MemoryCache::Value& value) { return value ? *static_cast<const int*>(value.get()) : -1; }

TEST(MemoryCache, KeepsAndGives) {
  CacheCounters counters;
  MemoryCache cache(kLimit, counters);
  EXPECT_EQ(cache.get(key(1)), nullptr);
  cache.put(key(1), value(1), 100);
  cache.put(key(2), value(2), 100);
  EXPECT_EQ(number(cache.get(key(1))), 1);
  EXPECT_EQ(number(cache.get(key(2))), 2);
  cache.put(key(1), value(11), 200);
  EXPECT_EQ(number(cache.get(key(1))), 11);
  EXPECT_EQ(counters.entries, 2u);
  EXPECT_EQ(counters.bytes, cache.size());
  cache.remove(key(1));
  EXPECT_EQ(cache.get(key(1)), nullptr);
  EXPECT_EQ(counters.entries, 1u);
}

TEST(MemoryCache, ZeroKeepsNothing) {
  CacheCounters counters;
  MemoryCache cache(0, counters);
  cache.put(key(1), value(1), 0);
  EXPECT_EQ(cache.get(key(1)), nullptr);
  EXPECT_EQ(cache.size(), 0u);
}

// A newsletter's thousand pictures of one use each do not wash out the logo that every message has.
TEST(MemoryCache, WhatIsUsedAgainOutlivesAFlood) {
  CacheCounters counters;
  MemoryCache cache(kLimit, counters);
  cache.put(key(-1), value(7), 5'000);
  EXPECT_EQ(number(cache.get(key(-1))), 7);
  for (int i = 0; i < 1'000; ++i) {
    cache.put(key(i), value(i), 5'000);
    EXPECT_LE(cache.size(), kLimit);
  }
  EXPECT_EQ(number(cache.get(key(-1))), 7);
  EXPECT_EQ(number(cache.get(key(999))), 999);
  EXPECT_EQ(cache.get(key(0)), nullptr);
  EXPECT_GT(counters.evictions, 900u);
}

// What was popular once goes when others are popular now.
TEST(MemoryCache, ProtectionEnds) {
  CacheCounters counters;
  MemoryCache cache(kLimit, counters);
  cache.put(key(-1), value(7), 5'000);
  cache.get(key(-1));
  for (int i = 0; i < 100; ++i) {
    cache.put(key(i), value(i), 5'000);
    cache.get(key(i));
  }
  EXPECT_EQ(cache.get(key(-1)), nullptr);
}

TEST(MemoryCache, WhatIsTooLargeThrowsNothingOut) {
  CacheCounters counters;
  MemoryCache cache(kLimit, counters);
  for (int i = 0; i < 4; ++i) {
    cache.put(key(i), value(i), 10'000);
    cache.get(key(i));
  }
  cache.put(key(10), value(10), kLimit);
  cache.put(key(11), value(11), kLimit - 35'000);
  EXPECT_EQ(cache.get(key(10)), nullptr);
  EXPECT_EQ(cache.get(key(11)), nullptr);
  EXPECT_EQ(counters.too_large, 2u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(number(cache.get(key(i))), i);
  // It takes what nobody has earned, and never the protected segment for itself.
  cache.put(key(12), value(12), 50'000);
  EXPECT_EQ(number(cache.get(key(12))), 12);
}

TEST(MemoryCache, AnythingAtAllStaysWithinTheLimit) {
  CacheCounters counters;
  MemoryCache cache(kLimit, counters);
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const int n = static_cast<int>(random() % 200);
    switch (random() % 3) {
      case 0:
        cache.put(key(n), value(n), random() % (random() % 20 == 0 ? 2 * kLimit : 8'000));
        break;
      case 1:
        if (const auto found = cache.get(key(n))) {
          EXPECT_EQ(number(found), n);
        }
        break;
      default:
        if (random() % 10 == 0) cache.remove(key(n));
    }
    ASSERT_LE(cache.size(), kLimit);
    ASSERT_EQ(counters.bytes, cache.size());
  }
}

TEST(MemoryCache, ManyThreads) {
  CacheCounters counters;
  MemoryCache cache(kLimit, counters);
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed)
    threads.emplace_back([&cache, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 5'000; ++i) {
        const int n = static_cast<int>(random() % 50);
        if (const auto found = cache.get(key(n))) {
          EXPECT_EQ(number(found), n);
        } else {
          cache.put(key(n), value(n), random() % 9'000);
        }
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_LE(cache.size(), kLimit);
}

}  // namespace
}  // namespace pixmilter::source
