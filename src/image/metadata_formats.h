// The strippers of metadata.h, one for each format. Private to strip_metadata() and has_location().
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "image/metadata.h"

namespace pixmilter::image {

struct Stripped {
  std::string bytes;      // the whole picture
  bool changed = false;   // bytes differ from what was given
  bool location = false;  // there was one
};

// strip is gps or all.
Result<Stripped> strip_jpeg(std::string_view bytes, Strip strip);
Result<Stripped> strip_png(std::string_view bytes, Strip strip);
Result<Stripped> strip_gif(std::string_view bytes, Strip strip);

}  // namespace pixmilter::image
