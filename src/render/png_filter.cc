#include "render/png_filter.h"

#include <algorithm>
#include <cstring>

namespace pixmilter::render {
namespace {

// Sixteen bytes at once, in the vectors that GCC and Clang know on every machine.
using Bytes = std::uint8_t __attribute__((vector_size(16)));
constexpr std::size_t kStep = sizeof(Bytes);

Bytes load(const std::uint8_t* at) {
  Bytes bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}
void store(std::uint8_t* at, Bytes bytes) { std::memcpy(at, &bytes, sizeof bytes); }

// Each filter says what it expects of a byte: for one byte, and for many.
struct None {
  static int expected(int, int, int) { return 0; }
  static Bytes expected(Bytes left, Bytes, Bytes) { return left ^ left; }
};
struct Sub {
  static int expected(int left, int, int) { return left; }
  static Bytes expected(Bytes left, Bytes, Bytes) { return left; }
};
struct Up {
  static int expected(int, int above, int) { return above; }
  static Bytes expected(Bytes, Bytes above, Bytes) { return above; }
};
struct Average {
  static int expected(int left, int above, int) { return (left + above) / 2; }
  static Bytes expected(Bytes left, Bytes above, Bytes) { return (left & above) + ((left ^ above) >> 1); }
};
struct Paeth {
  static int expected(int left, int above, int corner) {
    const int from_left = std::abs(above - corner);
    const int from_above = std::abs(left - corner);
    const int from_corner = std::abs(left + above - 2 * corner);
    if (from_left <= from_above && from_left <= from_corner) return left;
    return from_above <= from_corner ? above : corner;
  }
  // The same without leaving bytes: where left and above lie on the same side of the corner, their sum is
  // farther from it than either; else as far as the two distances differ.
  static Bytes expected(Bytes left, Bytes above, Bytes corner) {
    const Bytes from_left = distance(above, corner);
    const Bytes from_above = distance(left, corner);
    const Bytes opposite = (Bytes)(left > corner) ^ (Bytes)(above > corner);
    const Bytes from_corner = distance(from_left, from_above) | ~opposite;
    const Bytes take_left = (Bytes)(from_left <= from_above) & (Bytes)(from_left <= from_corner);
    const Bytes take_above = ~take_left & (Bytes)(from_above <= from_corner);
    return (left & take_left) | (above & take_above) | (corner & ~(take_left | take_above));
  }

 private:
  static Bytes distance(Bytes a, Bytes b) { return (a > b ? a : b) - (a > b ? b : a); }
};

template <class F>
void filter(const std::uint8_t* row, const std::uint8_t* above, std::size_t size, std::size_t pixel_bytes,
            std::uint8_t* out) {
  std::size_t i = 0;
  for (const std::size_t first = std::min(size, pixel_bytes); i < first; ++i)
    out[i] = static_cast<std::uint8_t>(row[i] - F::expected(0, above[i], 0));
  for (; i + kStep <= size; i += kStep)
    store(out + i, load(row + i) - F::expected(load(row + i - pixel_bytes), load(above + i),
                                               load(above + i - pixel_bytes)));
  for (; i < size; ++i)
    out[i] = static_cast<std::uint8_t>(row[i] -
                                       F::expected(row[i - pixel_bytes], above[i], above[i - pixel_bytes]));
}

}  // namespace

void filter_row(Filter which, const std::uint8_t* row, const std::uint8_t* above, std::size_t size,
                std::size_t pixel_bytes, std::uint8_t* out) {
  switch (which) {
    case Filter::none:
      std::memcpy(out, row, size);
      return;
    case Filter::sub:
      return filter<Sub>(row, above, size, pixel_bytes, out);
    case Filter::up:
      return filter<Up>(row, above, size, pixel_bytes, out);
    case Filter::average:
      return filter<Average>(row, above, size, pixel_bytes, out);
    case Filter::paeth:
      return filter<Paeth>(row, above, size, pixel_bytes, out);
  }
}

void filter_rows(Filter which, const Rows& rows, std::uint8_t* out) {
  for (std::uint32_t y = 0; y < rows.count; ++y, out += rows.row_bytes) {
    *out++ = static_cast<std::uint8_t>(which);
    filter_row(which, rows.row(y), rows.above_row(y), rows.row_bytes, rows.pixel_bytes, out);
  }
}

}  // namespace pixmilter::render
