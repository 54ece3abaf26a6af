// What the header of an encoded picture says, read without decoding: for the rules' image conditions (width,
// height, megapixels, frames, alpha) and for whoever wants to know a size before asking for pixels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/format.h"

namespace pixmilter::image {

struct Header {
  Format format = Format::unknown;
  std::uint32_t width = 0;   // pixels as stored: an orientation that turns the picture is not applied
  std::uint32_t height = 0;  // pixels, of one frame
  std::uint32_t frames = 1;  // of an animation; TIFF: pages
  std::uint32_t bits = 8;    // of a sample; 1 to 8 for indices
  bool alpha = false;        // pixels may be transparent, as far as the header tells (JPEG XL: it does not)
  bool cmyk = false;         // four inks: no mail client shows it reliably
  bool on_its_side = false;  // JPEG: its orientation makes width and height change places when it is shown
};

// Reads any format that sniff() knows except raw. Believes the header; whether pixels follow is for a decoder
// to see. Takes time linear in the bytes at worst, and looks at no more than their structure needs. SVG: the
// size in CSS px that width, height and viewBox of its root give, rounded up.
// Errors: an unknown format, a header that is cut short or makes no sense.
Result<Header> read_header(std::string_view bytes);

// Whether an encoder has thrown detail away before, of bytes in this format: JPEG, lossy WebP, and HEIC and
// AVIF, of which nothing in the header says so, but cameras make no others. A JPEG made of such a picture
// loses little; a PNG keeps its artefacts at ten times the size.
bool is_lossy(Format format, std::string_view bytes);

// An SVG whose root does not say its size in a way that librsvg understands as browsers do, with that size
// written into it: where it says none and has no viewBox, the one that a page gives (CSS: 300 by 150; a side
// that is said stays), and in px what is said in a style or in another unit. Nothing where the root is well
// as it is.
std::optional<std::string> with_plain_size(std::string_view svg);

}  // namespace pixmilter::image
