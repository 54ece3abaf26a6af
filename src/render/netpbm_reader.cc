#include "render/netpbm_reader.h"

#include <cstring>
#include <string>

#include "base/ascii.h"
#include "image/netpbm.h"

namespace pixmilter::render {
namespace {

using image::Netpbm;
using image::RawLayout;

// Passes over white space and comments.
std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (text[at] == '#')
      at = std::min(text.find('\n', at), text.size());
    else if (ascii::is_space(text[at]) || text[at] == '\v')
      ++at;
    else
      break;
  }
  return at;
}

// Decimal numbers to 8 bit samples, or 16 bit ones in the machine's order.
Attempt<Done> read_numbers(std::string_view text, const Netpbm& header, std::uint64_t count,
                           std::uint8_t* out) {
  std::size_t at = 0;
  const bool wide = header.layout.format == image::BandFormat::ushort;
  for (std::uint64_t i = 0; i < count; ++i) {
    at = skip_space(text, at);
    std::uint32_t value = 0;
    const std::size_t begin = at;
    while (at < text.size() && ascii::is_digit(text[at]) && value <= header.maxval)
      value = value * 10 + static_cast<std::uint32_t>(text[at++] - '0');
    if (at == begin)
      return refused(at == text.size() ? "netpbm: too few samples" : "netpbm: a sample is no number");
    if (value > header.maxval) return refused("netpbm: a sample exceeds maxval");
    if (wide) {
      const auto sample = static_cast<std::uint16_t>(value);
      std::memcpy(out + i * 2, &sample, 2);
    } else {
      out[i] = static_cast<std::uint8_t>(value);
    }
  }
  return Done{};
}

Attempt<Done> read_digits(std::string_view text, std::uint64_t count, std::uint8_t* out) {
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    at = skip_space(text, at);
    if (at == text.size()) return refused("netpbm: too few samples");
    if (text[at] != '0' && text[at] != '1') return refused("netpbm: a bit is neither 0 nor 1");
    out[i] = text[at++] == '0' ? 255 : 0;
  }
  return Done{};
}

void unpack_bits(std::string_view bytes, const RawLayout& layout, std::uint8_t* out) {
  const std::size_t row_bytes = (std::size_t{layout.width} + 7) / 8;
  for (std::size_t y = 0; y < layout.height; ++y)
    for (std::size_t x = 0; x < layout.width; ++x)
      *out++ = static_cast<unsigned char>(bytes[y * row_bytes + x / 8]) >> (7 - x % 8) & 1 ? 0 : 255;
}

}  // namespace

Attempt<Picture> read_netpbm_pixels(std::string_view bytes, const Netpbm& header, Colouring colouring) {
  RawLayout layout = header.layout;
  if (header.coding == Netpbm::Coding::samples) {
    colouring.bottom_up = header.bottom_up;
    colouring.unit = header.unit;
    if (layout.format != image::BandFormat::float_ && header.maxval != 255) colouring.white = header.maxval;
    return colour(bytes, layout, colouring);
  }

  const std::uint64_t count = std::uint64_t{layout.width} * layout.height * layout.bands;
  const std::uint64_t size = count * image::sample_bytes(layout.format);
  Pixels samples = allocate_pixels(size);
  if (!samples) return over_limit("no memory for " + std::to_string(size) + " bytes of samples");
  const std::string_view raster = bytes.substr(static_cast<std::size_t>(layout.offset));
  Attempt<Done> read = Done{};
  if (header.coding == Netpbm::Coding::text)
    read = read_numbers(raster, header, count, samples.get());
  else if (header.coding == Netpbm::Coding::text_bits)
    read = read_digits(raster, count, samples.get());
  else
    unpack_bits(raster, layout, samples.get());
  if (!read) return read.failure();

  layout.offset = 0;
  layout.big_endian = false;
  if (header.coding == Netpbm::Coding::text && header.maxval != 255) colouring.white = header.maxval;
  const std::string_view view(reinterpret_cast<const char*>(samples.get()), size);
  Attempt<Picture> picture = colour(view, layout, colouring);
  if (!picture) return picture;
  // The samples live as long as the picture that is made of them.
  const auto release = [](VipsImage*, void* memory) { delete[] static_cast<std::uint8_t*>(memory); };
  g_signal_connect(picture->image.get(), "postclose", G_CALLBACK(+release), samples.release());
  return picture;
}

}  // namespace pixmilter::render
