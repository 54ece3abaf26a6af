// Bare samples in memory: where each one lies and what type it has.
//
// Layouts (interleaved, planar, Fortran order, upside down) become four strides; types and byte orders
// become readers that the loops over samples are instantiated with.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "image/job.h"

namespace pixmilter::render {

struct Samples {
  const std::uint8_t* first = nullptr;  // of frame 0, row 0, column 0, band 0
  std::ptrdiff_t frame_step = 0;        // bytes from one to the next, here and below
  std::ptrdiff_t row_step = 0;
  std::ptrdiff_t column_step = 0;
  std::ptrdiff_t band_step = 0;
  image::RawLayout layout;

  const std::uint8_t* at(std::uint32_t frame, std::uint32_t row) const {
    return first + static_cast<std::ptrdiff_t>(frame) * frame_step +
           static_cast<std::ptrdiff_t>(row) * row_step;
  }
  bool has_alpha() const { return layout.bands == 2 || layout.bands == 4; }
  std::uint32_t colour_bands() const { return layout.bands - (has_alpha() ? 1 : 0); }
  bool is_float() const {
    return layout.format == image::BandFormat::half || layout.format == image::BandFormat::float_ ||
           layout.format == image::BandFormat::double_;
  }
  bool is_wide_integer() const { return !is_float() && image::sample_bytes(layout.format) > 2; }
};

// The layout has been checked against bytes (image/layout.h). bottom_up: the first row is the lowest.
Samples samples_of(std::string_view bytes, const image::RawLayout& layout, bool bottom_up = false);

// The value of an IEEE 754 binary16.
inline float half_to_float(std::uint16_t code) {
  const std::uint32_t sign = (code & 0x8000u) << 16;
  const std::uint32_t exponent = code >> 10 & 31;
  const std::uint32_t fraction = code & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | fraction << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  // Zero and subnormal numbers: a multiple of 2^-24.
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return sign ? -magnitude : magnitude;
}

// The level of 256 that is nearest to one of 65536: a tie cannot be, as 257 is odd.
inline std::uint8_t nearest_level(std::uint16_t sample) {
  // 255/256 of it and then its upper byte is a 257th. Within 16 bits.
  const auto up = static_cast<std::uint16_t>(std::min<std::uint16_t>(sample, 0xFFFF - 128) + 128);
  return static_cast<std::uint8_t>((up - (up >> 8)) >> 8);
}

namespace detail {
inline std::uint8_t swap(std::uint8_t v) { return v; }
inline std::uint16_t swap(std::uint16_t v) { return __builtin_bswap16(v); }
inline std::uint32_t swap(std::uint32_t v) { return __builtin_bswap32(v); }
inline std::uint64_t swap(std::uint64_t v) { return __builtin_bswap64(v); }
}  // namespace detail

// Reads one sample: Code is the integer that stands in memory, Value what it means, Real the type that its
// colours are computed in (what matplotlib computes them in).
template <class C, class V, class R, bool Swap>
struct Reader {
  using Code = C;
  using Value = V;
  using Real = R;
  static Code code(const std::uint8_t* at) {
    Code code;
    std::memcpy(&code, at, sizeof code);
    return Swap ? detail::swap(code) : code;
  }
  static Value value(Code code) { return std::bit_cast<Value>(code); }
  static Value load(const std::uint8_t* at) { return value(code(at)); }
};
template <bool Swap>
struct HalfReader : Reader<std::uint16_t, std::uint16_t, float, Swap> {
  using Value = float;
  static float value(std::uint16_t code) { return half_to_float(code); }
  static float load(const std::uint8_t* at) { return value(HalfReader::code(at)); }
};
// numpy's truth: whatever is not zero.
struct BoolReader : Reader<std::uint8_t, std::uint8_t, float, false> {
  static std::uint8_t value(std::uint8_t code) { return code != 0; }
  static std::uint8_t load(const std::uint8_t* at) { return value(*at); }
};

// Calls f with a reader of the samples' type and byte order.
template <class F>
auto with_reader(const image::RawLayout& layout, F&& f) {
  static_assert(std::endian::native == std::endian::little);
  const auto either = [&]<class C, class V, class R>() {
    return layout.big_endian ? f(Reader<C, V, R, true>{}) : f(Reader<C, V, R, false>{});
  };
  using image::BandFormat;
  switch (layout.format) {
    case BandFormat::char_:
      return f(Reader<std::uint8_t, std::int8_t, float, false>{});
    case BandFormat::boolean:
      return f(BoolReader{});
    case BandFormat::ushort:
      return either.template operator()<std::uint16_t, std::uint16_t, float>();
    case BandFormat::short_:
      return either.template operator()<std::uint16_t, std::int16_t, float>();
    case BandFormat::half:
      return layout.big_endian ? f(HalfReader<true>{}) : f(HalfReader<false>{});
    case BandFormat::uint:
      return either.template operator()<std::uint32_t, std::uint32_t, double>();
    case BandFormat::int_:
      return either.template operator()<std::uint32_t, std::int32_t, double>();
    case BandFormat::float_:
      return either.template operator()<std::uint32_t, float, float>();
    case BandFormat::uint64:
      return either.template operator()<std::uint64_t, std::uint64_t, double>();
    case BandFormat::int64:
      return either.template operator()<std::uint64_t, std::int64_t, double>();
    case BandFormat::double_:
      return either.template operator()<std::uint64_t, double, double>();
    case BandFormat::uchar:
      break;
  }
  return f(Reader<std::uint8_t, std::uint8_t, float, false>{});
}

// Calls f(pointer) for each sample of the bands from begin to before end, in the order of memory if that is
// the order of rows.
template <class F>
void for_each_sample(const Samples& s, std::uint32_t begin, std::uint32_t end, F&& f) {
  for (std::uint32_t frame = 0; frame < s.layout.frames; ++frame)
    for (std::uint32_t row = 0; row < s.layout.height; ++row) {
      const std::uint8_t* at = s.at(frame, row);
      for (std::uint32_t column = 0; column < s.layout.width; ++column, at += s.column_step)
        for (std::uint32_t band = begin; band < end; ++band)
          f(at + static_cast<std::ptrdiff_t>(band) * s.band_step);
    }
}

}  // namespace pixmilter::render
