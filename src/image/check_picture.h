// check_picture: whether bytes that others made are what may go into a mail.
//
// A render worker may have been taken over by the picture it decoded, a shared cache by whoever reaches it.
// So what they give is walked from the first byte to the last, by a reader that allocates nothing and decodes
// nothing: PNG (W3C PNG, 3rd edition), JPEG (ITU-T T.81), GIF (89a). What is not one of these, or has
// anything behind its end, is refused.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "image/format.h"

namespace pixmilter::image {

struct PictureFacts {
  Format format = Format::unknown;  // png, jpeg or gif
  std::uint32_t width = 0;          // pixels, at least 1
  std::uint32_t height = 0;         // likewise
  std::uint32_t frames = 1;         // images in a GIF, at least 1
};

// Takes time linear in the bytes.
Result<PictureFacts> check_picture(std::string_view bytes);

}  // namespace pixmilter::image
