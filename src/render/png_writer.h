// Writes PNG (ISO 15948) from 8 bit pixels, row by row.
//
// libvips has a PNG writer, but it makes palettes with a quantiser that may change colours, and spends ten
// times the time that is needed. Here a palette is used exactly when it is lossless, and filter and level
// follow the pixels (png_strategy.h).
#pragma once

#include <cstdint>
#include <string>

#include "render/attempt.h"
#include "render/vips_image.h"

namespace pixmilter::render {

struct PngOptions {
  bool smallest = false;                       // bytes count more than time
  bool fastest = false;                        // time counts more than bytes; no palette then
  bool helper = true;                          // a second thread for large pictures; the bytes are the same
  bool palette = true;                         // where 256 colours suffice and it is smaller
  std::uint64_t max_output_bytes = 100 << 20;  // more is Status::limit
};

// image: 8 bit, 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA; read once from top to bottom. The samples come
// back exactly, colour under full transparency too. Says sRGB and 96 dpi.
Attempt<std::string> write_png(VipsImage* image, const PngOptions& options);

}  // namespace pixmilter::render
