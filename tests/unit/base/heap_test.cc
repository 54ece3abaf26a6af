#include "base/heap.h"

#include <gtest/gtest.h>

#include <fstream>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "base/sanitized.h"

namespace pixmilter {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

std::size_t resident() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6)) << 10;
  return 0;
}

// So much in blocks of 100 kB, freed in the order in which they lie: all of it ends at the arena's end.
void take_and_free(std::size_t bytes) {
  std::vector<std::string> blocks;
  for (std::size_t at = 0; at < bytes; at += 100'000) blocks.emplace_back(100'000, 'x');
}

TEST(Heap, NothingFreeStaysWithAnyArena) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer has an allocator of its own";
  bound_heap(32 * kMegabyte, 64 * kMegabyte);
  const unsigned threads = 2 * std::max(1U, std::thread::hardware_concurrency());
  std::latch done(threads), looked(1);
  const std::size_t before = resident();
  std::vector<std::thread> users;
  for (unsigned i = 0; i < threads; ++i)
    users.emplace_back([&] {
      take_and_free(20 * kMegabyte);
      done.count_down();
      looked.wait();  // an arena without a thread would be the next thread's
    });
  done.wait();
  const std::size_t kept = resident();
  give_back_all_free_pages();
  const std::size_t after = resident();
  looked.count_down();
  for (std::thread& user : users) user.join();
  EXPECT_GT(kept, before + 15 * kMegabyte) << "this test sees nothing";
  EXPECT_LT(after, before + 5 * kMegabyte);
}

}  // namespace
}  // namespace pixmilter
