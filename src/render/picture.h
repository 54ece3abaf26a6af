// render_picture: one job in, one picture out. The door behind which libvips does its work.
#pragma once

#include "image/job.h"

namespace pixmilter::render {

// Decodes job.bytes (of job.format, which the caller has found by sniffing), renders it as job.settings
// say and encodes it. Never throws; what fails is a status of the result with a reason. Touches no file.
// libvips has been initialised; one thread at a time.
image::ImageResult render_picture(const image::ImageJob& job);

}  // namespace pixmilter::render
