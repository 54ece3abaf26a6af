#include "image/format.h"

namespace pixmilter::image {
Format sniff(std::string_view) { return Format::unknown; }
}  // namespace pixmilter::image
