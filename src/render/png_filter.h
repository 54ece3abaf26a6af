// PNG's filters (ISO 15948, 9.2): each byte of a row less what its neighbours let expect.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pixmilter::render {

// The numbers are those that stand before a row in the file.
enum class Filter : std::uint8_t { none, sub, up, average, paeth };
inline constexpr int kFilters = 5;

// Some rows of a picture that lie below each other in memory, and the one above them.
struct Rows {
  const std::uint8_t* first;
  std::size_t stride;  // bytes from one row to the next
  std::uint32_t count;
  std::size_t row_bytes;
  std::size_t pixel_bytes;    // from a byte to the one to its left, 1 to 4
  const std::uint8_t* above;  // row_bytes of it; zeros above a picture

  const std::uint8_t* row(std::uint32_t y) const { return first + y * stride; }
  const std::uint8_t* above_row(std::uint32_t y) const { return y > 0 ? row(y - 1) : above; }
  // Filtered, with a byte before each that names the filter.
  std::size_t filtered_bytes() const { return (row_bytes + 1) * count; }
};

// Writes filtered_bytes() to out.
void filter_rows(Filter filter, const Rows& rows, std::uint8_t* out);

// Writes size filtered bytes to out. above: the row above, of the same size; zeros above the first one.
void filter_row(Filter filter, const std::uint8_t* row, const std::uint8_t* above, std::size_t size,
                std::size_t pixel_bytes, std::uint8_t* out);

}  // namespace pixmilter::render
