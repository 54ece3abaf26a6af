#include "render/png_strategy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace pixmilter::render {
namespace {

// Of rows spread over a strip, to compare filters by.
constexpr std::size_t kFilterSampleBytes = 8 << 10;
// Of rows in its middle: long enough for two rows of most pictures, short beside a strip.
constexpr std::size_t kSearchSampleBytes = 16 << 10;

// Where a sample shrinks to this part, searching harder costs little and gives much.
constexpr double kFlat = 0.25;

// Bytes whose codes alone take more than this part of them are noise. Below, a sample may be too short to
// show what repeats in the whole.
constexpr double kNoise = 0.35;

// Where no more than this part of a sample repeats something within it, searching is not even tried.
constexpr double kRepeatsNothing = 0.02;

// Codes may take so much more than what a search finds, for they cost a fiftieth of the time. Where more than
// a little repeats, a search that sees all and not only a sample finds more than that.
constexpr double kWorthTheTime = 1.05;
constexpr double kRepeatsLittle = 0.1;
constexpr double kClearlyBetter = 0.9;

// Of a block: its codes' lengths. What deflate_runs() writes into one block pays for them together.
constexpr double kCodeDescription = 80;
constexpr double kBlockBytes = 0xFFFF;

using Counts = std::array<std::uint32_t, 256>;

void count(const std::uint8_t* bytes, std::size_t size, Counts& counts) {
  for (std::size_t i = 0; i < size; ++i) ++counts[bytes[i]];
}

// Bytes that what was counted takes when each byte gets a code by its frequency: its entropy.
double coded(const Counts& counts) {
  std::uint32_t size = 0;
  double bits = 0;
  for (const std::uint32_t count : counts)
    if (count > 0) bits -= count * std::log2(static_cast<float>(count)), size += count;
  if (size > 0) bits += size * std::log2(static_cast<double>(size));
  return bits / 8;
}

double coded(const std::vector<std::uint8_t>& bytes) {
  Counts counts{};
  count(bytes.data(), bytes.size(), counts);
  return coded(counts);
}

// The part of the bytes that repeats six or more bytes before them, as far as a glance tells. Fewer are alike
// by chance in noise too.
double repeating(const std::vector<std::uint8_t>& bytes) {
  constexpr unsigned kSlotBits = 12;
  constexpr std::size_t kLength = 6;
  std::array<std::uint16_t, 1 << kSlotBits> last{};
  const auto six = [&](std::size_t at) {
    std::uint64_t value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value << 8 * (sizeof value - kLength);
  };
  std::size_t repeated = 0;
  for (std::size_t at = 0; at + sizeof(std::uint64_t) <= bytes.size();) {
    const std::uint64_t value = six(at);
    std::uint16_t& slot = last[value * 0x9E3779B97F4A7C15u >> (64 - kSlotBits)];
    const std::size_t before = slot;
    slot = static_cast<std::uint16_t>(at);
    const bool repeats = before < at && six(before) == value;
    repeated += repeats ? kLength : 0;
    at += repeats ? kLength : 1;
  }
  return bytes.empty() ? 0 : static_cast<double>(repeated) / static_cast<double>(bytes.size());
}

}  // namespace

Filter PngChooser::best_by_codes(const Rows& rows) {
  const std::size_t length = std::min(rows.row_bytes, kFilterSampleBytes);
  const std::uint32_t wanted =
      static_cast<std::uint32_t>(std::max<std::size_t>(1, kFilterSampleBytes / length));
  const std::uint32_t sampled = std::min(rows.count, wanted);
  // A part of a very long row begins at a whole pixel.
  const std::size_t begin = (rows.row_bytes - length) / 2 / rows.pixel_bytes * rows.pixel_bytes;
  scratch_.resize(length);
  Filter best = Filter::none;
  double least = 0;
  for (int i = 0; i < kFilters; ++i) {
    const auto filter = static_cast<Filter>(i);
    if (palette_ && filter != Filter::none && filter != Filter::up) continue;
    Counts counts{};
    for (std::uint32_t k = 0; k < sampled; ++k) {
      const auto y = static_cast<std::uint32_t>((2ULL * k + 1) * rows.count / (2ULL * sampled));
      filter_row(filter, rows.row(y) + begin, rows.above_row(y) + begin, length, rows.pixel_bytes,
                 scratch_.data());
      count(scratch_.data(), length, counts);
    }
    const double taken = coded(counts);
    if (i == 0 || taken < least) best = filter, least = taken;
  }
  return best;
}

void PngChooser::take_sample(const Rows& rows, Filter filter, Sample& sample) {
  const std::size_t length = std::min(rows.row_bytes, kSearchSampleBytes);
  const auto wanted = static_cast<std::uint32_t>(kSearchSampleBytes / length);
  const std::uint32_t sampled = std::min(rows.count, wanted);
  const std::uint32_t first = (rows.count - sampled) / 2;
  sample.filter = filter;
  sample.bytes.resize(length * sampled);
  for (std::uint32_t k = 0; k < sampled; ++k)
    filter_row(filter, rows.row(first + k), rows.above_row(first + k), length, rows.pixel_bytes,
               sample.bytes.data() + k * length);
}

double PngChooser::searched(const Sample& sample) {
  if (!compressor_) compressor_.reset(libdeflate_alloc_compressor(1));
  const auto size = static_cast<double>(sample.bytes.size());
  if (!compressor_) return size;
  scratch_.resize(libdeflate_deflate_compress_bound(compressor_.get(), sample.bytes.size()));
  const std::size_t taken = libdeflate_deflate_compress(
      compressor_.get(), sample.bytes.data(), sample.bytes.size(), scratch_.data(), scratch_.size());
  return taken > 0 ? static_cast<double>(taken) : size;
}

PngStrategy PngChooser::choose(const Rows& rows) {
  const Filter by_codes = best_by_codes(rows);
  take_sample(rows, by_codes, coded_);
  take_sample(rows, Filter::none, plain_);
  const auto size = static_cast<double>(coded_.bytes.size());
  const double blocks = std::max(size / kBlockBytes, size / static_cast<double>(rows.filtered_bytes()));
  const double codes = coded(coded_.bytes) + kCodeDescription * blocks;
  const PngStrategy runs{by_codes, false, 1};
  const bool noisy = codes > kNoise * size;
  const double repeats = noisy ? std::max(repeating(coded_.bytes), repeating(plain_.bytes)) : 1;
  if (noisy && repeats < kRepeatsNothing) return runs;
  take_sample(rows, Filter::up, up_);
  const Sample* best = &plain_;
  double least = searched(plain_);
  for (const Sample* sample : {&up_, &coded_}) {
    if (sample->filter == best->filter || (sample == &coded_ && by_codes == Filter::none)) continue;
    const double taken = searched(*sample);
    if (taken < least) best = sample, least = taken;
  }
  if (noisy && codes <= (repeats < kRepeatsLittle ? kWorthTheTime : kClearlyBetter) * least) return runs;
  if (smallest_) return {best->filter, true, 6};
  return {best->filter, true, best->filter == Filter::none && least < kFlat * size ? 6 : 4};
}

}  // namespace pixmilter::render
