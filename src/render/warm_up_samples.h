// Pictures in every format that libvips decodes for us, for warming up (render/warm_up.h).
#pragma once

#include <span>
#include <string_view>

#include "image/format.h"

namespace pixmilter::render {

struct WarmUpSample {
  image::Format format;
  std::string_view bytes;
};

// Tiny and large ones. SVG is not among them: it is text, and stands where it is used.
std::span<const WarmUpSample> warm_up_samples();

}  // namespace pixmilter::render
