// One reader of a header for each family of formats; header.cc chooses. Private to read_header().
#pragma once

#include <string_view>

#include "base/result.h"
#include "image/header.h"

namespace pixmilter::image {

// Each has been given bytes that sniff() calls by its name, and leaves format as it is.
Result<Header> read_png_header(std::string_view bytes);
Result<Header> read_jpeg_header(std::string_view bytes);
Result<Header> read_gif_header(std::string_view bytes);
Result<Header> read_webp_header(std::string_view bytes);
Result<Header> read_tiff_header(std::string_view bytes);
Result<Header> read_heif_header(std::string_view bytes);  // AVIF too
Result<Header> read_jp2_header(std::string_view bytes);
Result<Header> read_jxl_header(std::string_view bytes);
Result<Header> read_svg_header(std::string_view bytes);

}  // namespace pixmilter::image
