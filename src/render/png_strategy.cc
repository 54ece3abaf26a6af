#include "render/png_strategy.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace pixmilter::render {
namespace {

// Long enough for two rows of most pictures, short beside a strip.
constexpr std::size_t kSampleBytes = 16 << 10;

// Where a sample shrinks to this part, searching harder costs little and gives much.
constexpr double kFlat = 0.25;

// Bytes whose codes alone take more than this part of them are noise. Below, a sample may be too short to
// show what repeats in the whole.
constexpr double kNoise = 0.35;

// Bytes that a sample takes when each byte gets a code by its frequency: its entropy.
double coded(const std::uint8_t* sample, std::size_t size) {
  std::array<std::uint32_t, 256> counts{};
  for (std::size_t i = 0; i < size; ++i) ++counts[sample[i]];
  double bits = 0;
  for (const std::uint32_t count : counts)
    if (count > 0) bits += count * std::log2(static_cast<double>(size) / count);
  return bits / 8;
}

}  // namespace

PngChooser::~PngChooser() {
  if (open_) deflateEnd(&stream_);
}

double PngChooser::searched(const std::uint8_t* sample, std::size_t size) {
  if (!open_) open_ = deflateInit2(&stream_, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  if (!open_ || deflateReset(&stream_) != Z_OK) return static_cast<double>(size);
  std::array<Bytef, kSampleBytes * 2> out;
  stream_.next_in = const_cast<Bytef*>(sample);
  stream_.avail_in = static_cast<uInt>(size);
  stream_.next_out = out.data();
  stream_.avail_out = static_cast<uInt>(out.size());
  deflate(&stream_, Z_FINISH);
  return static_cast<double>(stream_.total_out);
}

PngStrategy PngChooser::choose(const std::uint8_t* plain, const std::uint8_t* up, std::size_t size) {
  const std::size_t length = std::min(size, kSampleBytes);
  const std::size_t begin = (size - length) / 2;
  plain += begin;
  up += begin;
  const double plain_searched = searched(plain, length);
  const double up_searched = searched(up, length);
  const double plain_coded = coded(plain, length);
  const double up_coded = coded(up, length);
  const auto part = [&](double share) { return share * static_cast<double>(length); };
  const double best_searched = std::min(plain_searched, up_searched);
  const double best_coded = std::min(plain_coded, up_coded);
  if (best_coded <= best_searched && best_coded > part(kNoise)) return {up_coded <= plain_coded, 1, Z_RLE};
  if (smallest_) return {up_searched <= plain_searched, 6, Z_DEFAULT_STRATEGY};
  if (up_searched <= plain_searched) return {true, 4, Z_DEFAULT_STRATEGY};
  return {false, best_searched < part(kFlat) ? 6 : 4, Z_DEFAULT_STRATEGY};
}

}  // namespace pixmilter::render
