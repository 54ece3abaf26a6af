// Memory files: what is sealed stays as it is.
#include "base/memfd.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace pixmilter {
namespace {

TEST(MemfdTest, ASealedOneCannotChange) {
  const std::string bytes(100'000, 'x');
  auto fd = sealed_memfd(bytes);
  ASSERT_TRUE(fd) << fd.error().text;
  EXPECT_EQ(*copy_memfd(fd->get(), bytes.size()), bytes);
  EXPECT_LT(::pwrite(fd->get(), "y", 1, 0), 0);
  EXPECT_NE(::ftruncate(fd->get(), 0), 0);
  EXPECT_NE(::ftruncate(fd->get(), 200'000), 0);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0), MAP_FAILED);
  EXPECT_EQ(*copy_memfd(fd->get(), bytes.size()), bytes);
}

TEST(MemfdTest, AFixedOneKeepsItsSize) {
  auto fd = fixed_memfd(10'000);
  ASSERT_TRUE(fd) << fd.error().text;
  EXPECT_EQ(*copy_memfd(fd->get(), 10'000), std::string(10'000, '\0'));
  EXPECT_EQ(::pwrite(fd->get(), "abc", 3, 0), 3);
  EXPECT_EQ(*copy_memfd(fd->get(), 3), "abc");
  EXPECT_NE(::ftruncate(fd->get(), 9'999), 0);
  EXPECT_NE(::ftruncate(fd->get(), 10'001), 0);
  EXPECT_FALSE(copy_memfd(fd->get(), 10'001));
}

TEST(MemfdTest, Empty) {
  auto fd = sealed_memfd("");
  ASSERT_TRUE(fd);
  EXPECT_EQ(*copy_memfd(fd->get(), 0), "");
  EXPECT_FALSE(copy_memfd(fd->get(), 1));
}

}  // namespace
}  // namespace pixmilter
