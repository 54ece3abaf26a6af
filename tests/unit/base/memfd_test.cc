// Memory files: what is sealed stays as it is.
#include "base/memfd.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

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

TEST(SharedBytesTest, OthersCanOnlyRead) {
  auto memory = SharedBytes::make(10'000);
  ASSERT_TRUE(memory) << memory.error().text;
  const std::string bytes(9'000, 'x');
  std::copy(bytes.begin(), bytes.end(), memory->room());
  ASSERT_TRUE(memory->seal(bytes.size()));
  EXPECT_EQ(memory->view(), bytes);
  EXPECT_EQ(*copy_memfd(memory->fd(), bytes.size()), bytes);
  EXPECT_FALSE(copy_memfd(memory->fd(), bytes.size() + 1));
  EXPECT_LT(::pwrite(memory->fd(), "y", 1, 0), 0);
  EXPECT_NE(::ftruncate(memory->fd(), 0), 0);
  EXPECT_NE(::ftruncate(memory->fd(), 20'000), 0);
  EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd(), 0), MAP_FAILED);
  void* seen = ::mmap(nullptr, bytes.size(), PROT_READ, MAP_SHARED, memory->fd(), 0);
  ASSERT_NE(seen, MAP_FAILED);
  EXPECT_NE(::mprotect(seen, bytes.size(), PROT_READ | PROT_WRITE), 0);
  EXPECT_EQ(std::string_view(static_cast<const char*>(seen), bytes.size()), bytes);
  ::munmap(seen, bytes.size());
}

TEST(SharedBytesTest, MovedTheyStayWhereTheyAre) {
  auto memory = SharedBytes::make(100);
  ASSERT_TRUE(memory);
  memory->room()[0] = 'a';
  ASSERT_TRUE(memory->seal(1));
  SharedBytes other(*std::move(memory));
  const char* const there = other.view().data();
  SharedBytes last;
  last = std::move(other);
  EXPECT_EQ(last.view(), "a");
  EXPECT_EQ(last.view().data(), there);
  EXPECT_EQ(SharedBytes().view(), "");
  EXPECT_LT(SharedBytes().fd(), 0);
}

TEST(SharedBytesTest, WhatCannotBeHadIsAnError) {
  EXPECT_FALSE(SharedBytes::make(0));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto memory = SharedBytes::make(100);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(memory);
}

}  // namespace
}  // namespace pixmilter
