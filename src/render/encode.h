// The choice of what a picture is sent as, and the encoding.
#pragma once

#include "image/job.h"
#include "render/vips_image.h"

namespace pixmilter::render {

// picture: 8 bit sRGB or gray, upright, at its size; it may be read from top to bottom only once.
//
// automatic means GIF for several frames, else PNG; JPEG for photographs where loss is allowed. A format
// that holds one frame gets the first. JPEG loses alpha to a white ground.
//
// With max_bytes, first the quality is lowered (JPEG), then the size, but no side below min_side; what still
// does not fit is Status::limit.
Attempt<image::ImageResult> encode(Picture picture, const image::RenderSettings& settings,
                                   const image::Limits& limits);

}  // namespace pixmilter::render
