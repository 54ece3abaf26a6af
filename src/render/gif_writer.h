// Writes GIF (GIF89a), chiefly animations: the one moving picture that every mail client shows.
//
// A frame of 256 colours or fewer keeps them exactly, in a palette of its own. Where one has more, libvips
// quantises.
#pragma once

#include <cstdint>
#include <string>

#include "render/attempt.h"
#include "render/vips_image.h"

namespace pixmilter::render {

// picture: 8 bit, 1 to 4 bands; alpha below 128 becomes transparent, the rest opaque. Delays are kept on
// average where they are no whole hundredths of a second. More than max_output_bytes is Status::limit.
Attempt<std::string> write_gif(const Picture& picture, std::uint64_t max_output_bytes);

}  // namespace pixmilter::render
