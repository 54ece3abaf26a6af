// Blocks with pages of their own, and those that are too small for that.
#include "base/own_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <new>

#include "base/sanitized.h"

namespace pixmilter {
namespace {

TEST(OwnPages, AStringOfAnySizeIsAString) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{15}, std::size_t{16}, kOwnPages - 2,
                                 kOwnPages - 1, kOwnPages, kOwnPages + 4096, std::size_t{3'000'000}}) {
    KeptString text(size, 'x');
    EXPECT_EQ(text.size(), size);
    text += "and more";
    EXPECT_EQ(text.substr(size), "and more");
    text.resize(size);
    text.shrink_to_fit();
    KeptString other = text;
    EXPECT_EQ(other, text);
    const KeptString moved = std::move(other);
    EXPECT_EQ(moved, KeptString(size, 'x'));
  }
}

TEST(OwnPages, ALargeBlockGoesBackWhole) {
  auto* block = static_cast<char*>(allocate_in_own_pages(1'000'000));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0u);
  block[0] = block[999'999] = 'x';
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto* begin = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(block) / page * page);
  unsigned char there = 0;
  EXPECT_EQ(::mincore(begin, 1, &there), 0);
  free_in_own_pages(block);
  EXPECT_EQ(::mincore(begin, 1, &there), -1);
  EXPECT_EQ(errno, ENOMEM);
}

TEST(OwnPages, CountsWholePages) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  EXPECT_LT(footprint_in_own_pages(100), 150u);
  EXPECT_EQ(footprint_in_own_pages(kOwnPages) % page, 0u);
  EXPECT_GT(footprint_in_own_pages(kOwnPages), kOwnPages);
  EXPECT_LE(footprint_in_own_pages(100 * page - 100), 100 * page);
}

TEST(OwnPages, TooMuchIsSaid) {
  EXPECT_THROW(allocate_in_own_pages(SIZE_MAX - 10), std::bad_alloc);
  // Sanitizers end the process where operator new has nothing to give.
  if (!kSanitized) {
    EXPECT_THROW(allocate_in_own_pages(SIZE_MAX / 4), std::bad_alloc);
  }
  free_in_own_pages(nullptr);
}

}  // namespace
}  // namespace pixmilter
