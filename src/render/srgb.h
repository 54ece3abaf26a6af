// Brings any picture to what goes out: 8 bit, sRGB or gray, with or without alpha.
#pragma once

#include "render/vips_image.h"

namespace pixmilter::render {

// ICC profiles are applied and dropped, CMYK and other spaces converted, 16 bit scaled. 8 bit sRGB and gray
// without a profile of their own pass through as they are. More than 4 bands: the first are taken.
Attempt<Image> to_srgb8(Image image);

// Turns and flips as the EXIF orientation asks, and forgets it.
Attempt<Image> upright(Image image);

}  // namespace pixmilter::render
