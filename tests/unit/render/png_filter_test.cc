// Sixteen bytes at once say the same as one after another.
#include "render/png_filter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <vector>

namespace pixmilter::render {
namespace {

// ISO 15948, 9.2, word for word.
int predicted(int filter, int a, int b, int c) {
  const int p = a + b - c;
  const int pa = std::abs(p - a);
  const int pb = std::abs(p - b);
  const int pc = std::abs(p - c);
  const int paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
  const int all[] = {0, a, b, (a + b) / 2, paeth};
  return all[filter];
}

TEST(PngFilter, FollowsTheStandard) {
  std::mt19937 random(5);
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t pixel = random() % 4 + 1;
    const std::size_t size = random() % 70 + 1;
    std::vector<std::uint8_t> row(size), above(size), out(size);
    const std::uint32_t values = i % 3 == 0 ? 256 : i % 3 == 1 ? 3 : 2;
    const std::uint32_t factor = i % 3 == 2 ? 255 : 1;
    for (auto* bytes : {&row, &above})
      for (std::uint8_t& byte : *bytes) byte = static_cast<std::uint8_t>(random() % values * factor);
    for (int filter = 0; filter < kFilters; ++filter) {
      filter_row(static_cast<Filter>(filter), row.data(), above.data(), size, pixel, out.data());
      for (std::size_t at = 0; at < size; ++at) {
        const bool first = at < pixel;
        const int expected =
            predicted(filter, first ? 0 : row[at - pixel], above[at], first ? 0 : above[at - pixel]);
        ASSERT_EQ(out[at], static_cast<std::uint8_t>(row[at] - expected)) << filter << " at " << at;
      }
    }
  }
}

}  // namespace
}  // namespace pixmilter::render
