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
//
// Hurried, each of these steps is done once the fastest way: fewer qualities are tried, and a PNG is not made
// as small as it could be.
Attempt<image::ImageResult> encode(Picture picture, const image::ImageJob& job);

}  // namespace pixmilter::render
