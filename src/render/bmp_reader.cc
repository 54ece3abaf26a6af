#include "render/bmp_reader.h"

#include <bit>
#include <cstring>
#include <vector>

#include "image/bmp.h"
#include "image/bytes.h"

namespace pixmilter::render {
namespace {

using image::Bmp;
using image::u8;

// One colour of a 16 or 32 bit pixel, stretched to 0..255.
class Field {
 public:
  explicit Field(std::uint32_t mask) : shift_(mask ? std::countr_zero(mask) : 0), max_(mask >> shift_) {
    // Up to 8 bits the division becomes a table; more bits than that are cut off.
    if (max_ > 255) {
      const int surplus = std::bit_width(max_) - 8;
      shift_ += surplus;
      max_ >>= surplus;
    }
    for (std::uint32_t value = 0; value <= max_; ++value)
      table_[value] = static_cast<std::uint8_t>(max_ ? (value * 255 + max_ / 2) / max_ : 0);
  }
  std::uint8_t of(std::uint32_t pixel) const { return table_[pixel >> shift_ & max_]; }

 private:
  int shift_;
  std::uint32_t max_;
  std::uint8_t table_[256] = {};
};

class BmpReader {
 public:
  BmpReader(std::string_view bytes, const Bmp& bmp)
      : bytes_(bytes), bmp_(bmp), bands_(bmp.masks[3] ? 4 : 3) {}

  Attempt<Picture> read() {
    const std::uint64_t size = std::uint64_t{bmp_.width} * bmp_.height * bands_;
    pixels_ = allocate_pixels(size);
    if (!pixels_) return over_limit("no memory for " + std::to_string(size) + " bytes of pixels");
    read_palette();
    if (bmp_.coding != Bmp::Coding::plain) {
      if (auto runs = read_runs(); !runs) return runs.failure();
    } else if (bmp_.bits <= 8) {
      read_indices();
    } else if (bmp_.bits == 24) {
      read_24();
    } else {
      read_fields();
    }
    Attempt<Image> image = own_pixels(std::move(pixels_), bmp_.width, bmp_.height, bands_);
    if (!image) return image.failure();
    Picture picture;
    picture.image = std::move(*image);
    return picture;
  }

 private:
  std::uint8_t* row_out(std::uint32_t row_in_file) {
    const std::uint32_t y = bmp_.top_down ? row_in_file : bmp_.height - 1 - row_in_file;
    return pixels_.get() + std::uint64_t{y} * bmp_.width * bands_;
  }
  std::size_t row_in(std::uint32_t row_in_file) const {
    return static_cast<std::size_t>(bmp_.pixels_offset + row_in_file * bmp_.row_bytes());
  }

  void read_palette() {
    for (std::uint32_t i = 0; i < bmp_.palette_colours && i < 256; ++i) {
      const std::size_t at = static_cast<std::size_t>(bmp_.palette_offset) + i * bmp_.palette_entry_bytes;
      for (std::size_t band = 0; band < 3; ++band)
        palette_[i][band] = static_cast<std::uint8_t>(u8(bytes_, at + 2 - band));
    }
  }
  void put_index(std::uint8_t* row, std::uint32_t x, std::uint32_t index) const {
    std::memcpy(row + std::size_t{x} * 3, palette_[index], 3);
  }

  void read_indices() {
    const std::uint32_t per_byte = 8 / bmp_.bits;
    const std::uint32_t mask = (1u << bmp_.bits) - 1;
    for (std::uint32_t y = 0; y < bmp_.height; ++y) {
      std::uint8_t* out = row_out(y);
      const std::size_t in = row_in(y);
      for (std::uint32_t x = 0; x < bmp_.width; ++x) {
        const std::uint32_t shift = (per_byte - 1 - x % per_byte) * bmp_.bits;
        put_index(out, x, u8(bytes_, in + x / per_byte) >> shift & mask);
      }
    }
  }

  void read_24() {
    for (std::uint32_t y = 0; y < bmp_.height; ++y) {
      std::uint8_t* out = row_out(y);
      const char* in = bytes_.data() + row_in(y);
      // Four bytes at once: the fourth is the next pixel's, which then overwrites it.
      for (std::uint32_t x = 1; x < bmp_.width; ++x, in += 3, out += 3) {
        std::uint32_t pixel;
        std::memcpy(&pixel, in, sizeof pixel);
        pixel = __builtin_bswap32(pixel) >> 8;
        std::memcpy(out, &pixel, sizeof pixel);
      }
      out[0] = static_cast<std::uint8_t>(in[2]);
      out[1] = static_cast<std::uint8_t>(in[1]);
      out[2] = static_cast<std::uint8_t>(in[0]);
    }
  }

  void read_fields() {
    const Field red(bmp_.masks[0]), green(bmp_.masks[1]), blue(bmp_.masks[2]), alpha(bmp_.masks[3]);
    bool any_alpha = false;
    for (std::uint32_t y = 0; y < bmp_.height; ++y) {
      std::uint8_t* out = row_out(y);
      std::size_t in = row_in(y);
      for (std::uint32_t x = 0; x < bmp_.width; ++x, out += bands_) {
        const std::uint32_t pixel =
            bmp_.bits == 16 ? image::u16_little(bytes_, in) : image::u32_little(bytes_, in);
        in += bmp_.bits / 8;
        out[0] = red.of(pixel);
        out[1] = green.of(pixel);
        out[2] = blue.of(pixel);
        if (bands_ == 4) {
          out[3] = alpha.of(pixel);
          any_alpha = any_alpha || out[3] != 0;
        }
      }
    }
    if (bands_ == 4 && !any_alpha) make_opaque();
  }
  // Many writers name an alpha mask and leave all alpha at 0: what they mean is a picture one can see.
  void make_opaque() {
    const std::uint64_t size = std::uint64_t{bmp_.width} * bmp_.height * 4;
    for (std::uint64_t at = 3; at < size; at += 4) pixels_[at] = 255;
  }

  Attempt<Done> read_runs() {
    for (std::uint32_t y = 0; y < bmp_.height; ++y)
      for (std::uint32_t x = 0; x < bmp_.width; ++x) put_index(row_out(y), x, 0);
    const bool four = bmp_.coding == Bmp::Coding::rle4;
    const std::string_view in = bytes_.substr(static_cast<std::size_t>(bmp_.pixels_offset));
    std::size_t at = 0;
    std::uint32_t x = 0;
    std::uint32_t y = 0;
    const auto nibble = [four](std::uint32_t byte, std::uint32_t i) {
      return !four ? byte : i % 2 == 0 ? byte >> 4 : byte & 15;
    };
    while (in.size() - at >= 2) {
      const std::uint32_t count = u8(in, at);
      const std::uint32_t value = u8(in, at + 1);
      at += 2;
      if (count > 0) {
        if (y >= bmp_.height || count > bmp_.width - x) return refused("bmp: a run leaves the picture");
        for (std::uint32_t i = 0; i < count; ++i) put_index(row_out(y), x++, nibble(value, i));
      } else if (value == 0) {  // end of line
        if (y >= bmp_.height) return refused("bmp: too many lines");
        x = 0;
        ++y;
      } else if (value == 1) {  // end of bitmap
        return Done{};
      } else if (value == 2) {  // right and up
        if (in.size() - at < 2) break;
        const std::uint32_t right = u8(in, at);
        const std::uint32_t up = u8(in, at + 1);
        at += 2;
        if (right > bmp_.width - x || up > bmp_.height - y) return refused("bmp: a jump leaves the picture");
        x += right;
        y += up;
      } else {  // so many indices as they are, padded to whole 16 bit words
        const std::size_t size = four ? (value + 1) / 2 : value;
        if (in.size() - at < size) break;
        if (y >= bmp_.height || value > bmp_.width - x) return refused("bmp: a run leaves the picture");
        for (std::uint32_t i = 0; i < value; ++i)
          put_index(row_out(y), x++, nibble(u8(in, at + (four ? i / 2 : i)), i));
        at = std::min(in.size(), at + size + size % 2);
      }
    }
    // The last row may be complete without a mark behind it.
    if (y >= bmp_.height || (y + 1 == bmp_.height && x == bmp_.width)) return Done{};
    return refused("bmp: the run lengths end before the picture");
  }

  std::string_view bytes_;
  const Bmp& bmp_;
  std::uint32_t bands_;
  Pixels pixels_;
  std::uint8_t palette_[256][3] = {};
};

}  // namespace

Attempt<Picture> read_bmp_pixels(std::string_view bytes, const Bmp& bmp) {
  return BmpReader(bytes, bmp).read();
}

}  // namespace pixmilter::render
