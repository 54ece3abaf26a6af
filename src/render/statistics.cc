#include "render/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

namespace pixmilter::render {
namespace {

template <class R>
Extent extent_of(const Samples& s, std::uint32_t begin, std::uint32_t end, bool& has_nan) {
  using Value = typename R::Value;
  Extent extent;
  Value low = std::numeric_limits<Value>::max();
  Value high = std::numeric_limits<Value>::lowest();
  bool found = false;
  bool nan = false;
  for_each_sample(s, begin, end, [&](const std::uint8_t* at) {
    const Value value = R::load(at);
    if constexpr (std::is_floating_point_v<Value>) {
      if (!std::isfinite(value)) {
        nan = nan || std::isnan(value);
        return;
      }
    }
    found = true;
    low = std::min(low, value);
    high = std::max(high, value);
  });
  has_nan = nan;
  extent.found = found;
  if (found) extent.low = static_cast<double>(low), extent.high = static_cast<double>(high);
  return extent;
}

// Doubles as integers of the same order, and back.
std::uint64_t key_of(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  return bits >> 63 ? ~bits : bits | std::uint64_t{1} << 63;
}
double value_of(std::uint64_t key) {
  return std::bit_cast<double>(key >> 63 ? key & ~(std::uint64_t{1} << 63) : ~key);
}

// The sample of a rank (0: the least) by radix selection: each pass over the samples fixes 16 more bits of
// its key. What is left is sorted as soon as it is little. Needs no copy of the samples, however many they
// are.
template <class R>
double value_at_rank(const Samples& s, std::uint64_t rank) {
  constexpr std::uint64_t kLittle = 1 << 18;
  std::uint64_t prefix = 0;
  std::uint64_t left = 0;
  const auto visit = [&](int fixed_bits, auto&& f) {
    for_each_sample(s, 0, s.colour_bands(), [&](const std::uint8_t* at) {
      const auto value = static_cast<double>(R::load(at));
      if (!std::isfinite(value)) return;
      const std::uint64_t key = key_of(value);
      if (fixed_bits == 0 || key >> (64 - fixed_bits) == prefix) f(key);
    });
  };
  for (int fixed_bits = 0; fixed_bits < 64; fixed_bits += 16) {
    std::vector<std::uint64_t> counts(65536);
    visit(fixed_bits, [&](std::uint64_t key) { ++counts[key >> (48 - fixed_bits) & 0xFFFF]; });
    std::uint64_t digit = 0;
    while (digit < 65535 && rank >= counts[digit]) rank -= counts[digit++];
    prefix = prefix << 16 | digit;
    left = counts[digit];
    if (left > kLittle || fixed_bits == 48) continue;
    std::vector<std::uint64_t> keys;
    keys.reserve(left);
    visit(fixed_bits + 16, [&](std::uint64_t key) { keys.push_back(key); });
    const auto nth = keys.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(keys.begin(), nth, keys.end());
    return value_of(*nth);
  }
  return value_of(prefix);
}

template <class R>
double percentile(const Samples& s, std::uint64_t count, double percent) {
  const double place = percent / 100 * static_cast<double>(count - 1);
  const double below = std::floor(place);
  const double share = place - below;
  const auto rank = static_cast<std::uint64_t>(below);
  const double low = value_at_rank<R>(s, rank);
  if (share == 0 || rank + 1 >= count) return low;
  const double high = value_at_rank<R>(s, rank + 1);
  return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share);
}

}  // namespace

Statistics measure(const Samples& s) {
  return with_reader(s.layout, [&](auto reader) {
    using R = decltype(reader);
    Statistics statistics;
    bool alpha_nan = false;
    statistics.colour = extent_of<R>(s, 0, s.colour_bands(), statistics.has_nan);
    if (s.has_alpha()) statistics.alpha = extent_of<R>(s, s.colour_bands(), s.layout.bands, alpha_nan);
    return statistics;
  });
}

Extent percentiles(const Samples& s, double low, double high) {
  return with_reader(s.layout, [&](auto reader) {
    using R = decltype(reader);
    std::uint64_t count = 0;
    for_each_sample(s, 0, s.colour_bands(), [&](const std::uint8_t* at) {
      count += std::isfinite(static_cast<double>(R::load(at))) ? 1 : 0;
    });
    Extent extent;
    if (count == 0) return extent;
    extent.found = true;
    extent.low = percentile<R>(s, count, low);
    extent.high = percentile<R>(s, count, high);
    return extent;
  });
}

}  // namespace pixmilter::render
