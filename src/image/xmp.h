// XMP packets (ISO 16684-1): location is taken out of their XML by its names; the rest stays byte for byte.
#pragma once

#include <string>
#include <string_view>

namespace pixmilter::image {

struct XmpEdit {
  bool location = false;  // it was there
  bool changed = false;   // text differs from the packet
  // The packet without location, thumbnails and the link to extended XMP. Empty where it cannot be trusted to
  // hold none: it is no XML that we can follow, or names remain where they should not.
  std::string text;
};
XmpEdit clean_xmp(std::string_view packet);

}  // namespace pixmilter::image
