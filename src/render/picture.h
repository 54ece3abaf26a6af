// One picture from the bytes that came to the bytes that go out: the render program's whole work.
#pragma once

#include "image/job.h"

namespace pixmilter::render {

// libvips has been initialised. Never throws; what fails is a status with a reason. One call at a time.
// The limits of the job are checked before pixels are allocated.
image::ImageResult render_picture(const image::ImageJob& job);

}  // namespace pixmilter::render
