// The header of Windows bitmaps: BITMAPCOREHEADER, BITMAPINFOHEADER and its extensions up to version 5, as
// Microsoft documents them, and the plain kinds of OS/2.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace pixmilter::image {

struct Bmp {
  enum class Coding : std::uint8_t { plain, rle8, rle4 };
  std::uint32_t width = 0;   // pixels
  std::uint32_t height = 0;  // pixels
  bool top_down = false;
  std::uint32_t bits = 24;  // a pixel: 1, 2, 4, 8 (indices into the palette), 16, 24 or 32
  Coding coding = Coding::plain;
  // Which bits of a 16 or 32 bit pixel are red, green, blue and alpha. Each is one run of bits, or 0.
  std::array<std::uint32_t, 4> masks{};
  std::uint64_t palette_offset = 0;  // in the bytes
  std::uint32_t palette_colours = 0;
  std::uint32_t palette_entry_bytes = 4;  // blue, green, red, and one unused where it is 4
  std::uint64_t pixels_offset = 0;
  std::uint64_t profile_offset = 0;  // of an ICC profile that version 5 may bring
  std::uint64_t profile_bytes = 0;   // 0: none
  // Of a row of plain pixels: whole 32 bit words.
  std::uint64_t row_bytes() const { return (std::uint64_t{width} * bits + 31) / 32 * 4; }
};

// Strict: what Windows would not write is an error, embedded JPEG and PNG included. A profile that lies
// elsewhere (linked, or outside the bytes) counts as none. Checks that the palette
// and all rows of plain pixels are there.
Result<Bmp> read_bmp(std::string_view bytes);

}  // namespace pixmilter::image
