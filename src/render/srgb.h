// Brings any picture to what goes out: 8 bit, sRGB or gray, with or without alpha.
#pragma once

#include "render/colours.h"
#include "render/vips_image.h"

namespace pixmilter::render {

// ICC profiles are applied and dropped, CMYK and other spaces converted, 16 bit scaled; other sample types
// get colours as bare samples do (colours.h). 8 bit sRGB and gray pass through exactly, also where a profile
// says sRGB. Of more than 4 bands the first three are taken.
Attempt<Image> to_srgb8(Image image, const Colouring& colouring);

// Turns and flips as the EXIF orientation asks, and forgets it.
Attempt<Image> upright(Image image);

}  // namespace pixmilter::render
