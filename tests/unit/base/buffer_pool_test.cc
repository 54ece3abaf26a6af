#include "base/buffer_pool.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace pixmilter {
namespace {

std::string with_room(std::size_t bytes) {
  std::string buffer;
  buffer.reserve(bytes);
  buffer.append("another message");
  return buffer;
}

TEST(BufferPool, GivesOutEmptyWhatItWasGiven) {
  BufferPool pool(1000, 5000);
  EXPECT_TRUE(pool.take().empty());
  std::string first = with_room(500);
  const char* const where = first.data();
  pool.give(std::move(first));
  const std::string again = pool.take();
  EXPECT_EQ(again.data(), where);
  EXPECT_EQ(again, "");
  EXPECT_GE(again.capacity(), 500U);
  EXPECT_LT(pool.take().capacity(), 500U);
}

TEST(BufferPool, KeepsNoMoreThanItMay) {
  BufferPool pool(1000, 2000);
  pool.give(with_room(1500));
  EXPECT_LT(pool.take().capacity(), 500U);
  for (int i = 0; i < 3; ++i) pool.give(with_room(900));
  int kept = 0;
  while (pool.take().capacity() >= 900) ++kept;
  EXPECT_EQ(kept, 2);
  pool.give(with_room(900));
  EXPECT_GE(pool.take().capacity(), 900U);
}

TEST(BufferPool, KeepsTheRoomOfALargeOneWithoutItsMemory) {
  constexpr std::size_t kLargest = 1 << 20;
  BufferPool pool(kLargest, 2 * kLargest);
  std::string buffer;
  buffer.reserve(64 << 20);
  buffer.append(32 << 20, 'x');
  const char* const where = buffer.data();
  pool.give(std::move(buffer));
  pool.give(with_room(kLargest));
  pool.give(with_room(kLargest));  // no more than two
  EXPECT_EQ(pool.take().capacity() / kLargest, 1U);
  const std::string again = pool.take();
  ASSERT_EQ(again.data(), where);
  EXPECT_EQ(again, "");
  EXPECT_EQ(where[2 << 20], '\0') << "is there still";
  EXPECT_LT(pool.take().capacity(), 500U);
}

TEST(BufferPool, Release) {
  BufferPool pool(1000, 1000);
  pool.give(with_room(900));
  pool.release();
  EXPECT_LT(pool.take().capacity(), 900U);
  pool.give(with_room(900));
  EXPECT_GE(pool.take().capacity(), 900U);
}

}  // namespace
}  // namespace pixmilter
