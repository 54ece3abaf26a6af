// The pixels of PBM, PGM, PPM, PAM and PFM. Their headers are read in src/image/netpbm.h.
#pragma once

#include <string_view>

#include "render/colours.h"
#include "render/vips_image.h"

namespace pixmilter::image {
struct Netpbm;
}

namespace pixmilter::render {

// colouring: what the job says of colour map and range; the header's maxval, direction and unit are added.
// The header has been read from these bytes, which outlive the picture, and its size is within the limits.
Attempt<Picture> read_netpbm_pixels(std::string_view bytes, const image::Netpbm& header, Colouring colouring);

}  // namespace pixmilter::render
