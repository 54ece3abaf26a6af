// Photoshop's image resources, which carry IPTC datasets (IIM4) and thumbnails in JPEG's APP13.
#pragma once

#include <string>
#include <string_view>

namespace pixmilter::image {

struct ResourcesEdit {
  bool location = false;
  bool changed = false;
  std::string bytes;  // empty where nothing is left, or where the resources cannot be followed
};

// resources begins with the first "8BIM". Takes out location datasets of IPTC, location in XMP, Exif copies
// and thumbnails.
ResourcesEdit clean_resources(std::string_view resources);

}  // namespace pixmilter::image
