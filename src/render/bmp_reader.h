// The pixels of a Windows bitmap. Its header is read in src/image/bmp.h.
#pragma once

#include <string_view>

#include "render/vips_image.h"

namespace pixmilter::image {
struct Bmp;
}

namespace pixmilter::render {

// RGB, or RGBA where the header names an alpha mask and any pixel uses it; plain rows in libvips' order. The
// header has been read from these bytes and its size is within the limits. Run lengths that leave the
// picture, or end before it does, are errors; pixels that they skip have the palette's first colour.
Attempt<Picture> read_bmp_pixels(std::string_view bytes, const image::Bmp& bmp);

}  // namespace pixmilter::render
