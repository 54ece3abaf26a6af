// Exif: a TIFF structure of directories (CIPA DC-008), edited in place so that every offset stays true.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pixmilter::image {

struct ExifFacts {
  std::uint32_t orientation = 1;  // 1 to 8
  bool location = false;
  bool thumbnail = false;  // or another block that stood embedded in it
};

// exif begins with its byte order mark. Takes the GPS directory, the thumbnail's directory, and embedded XMP
// and IPTC blocks out, overwriting their bytes with zeros; the end is cut off as far as only zeros are left
// of what was taken out. Says what was found; exif is unchanged where neither was.
Result<ExifFacts> clean_exif(std::string& exif);

// The smallest Exif that says an orientation.
std::string orientation_exif(std::uint32_t orientation);

}  // namespace pixmilter::image
