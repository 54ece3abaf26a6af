// Takes what a picture tells beside its pixels out of PNG, JPEG and GIF, without decoding them: segments and
// chunks are left out or edited, the image data stays byte for byte.
//
//   gps   where it was taken: the GPS directory of Exif, location in XMP and IPTC; and the thumbnails and
//         previews, which may show what was cropped away and carry a location of their own
//   all   every description, comment and date. What pixels need to look right stays: colour profiles, gamma,
//         density, animation, and the orientation
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pixmilter::image {

enum class Strip : std::uint8_t { none, gps, all };

// The picture without it; nothing where there was nothing to take out. What is cut short or of another format
// is an error. Metadata that cannot be read is left out whole, for what it hides cannot be known.
Result<std::optional<std::string>> strip_metadata(std::string_view bytes, Strip strip);

// Whether the picture says where it was taken (the image condition gps). False for what cannot be read.
bool has_location(std::string_view bytes);

}  // namespace pixmilter::image
