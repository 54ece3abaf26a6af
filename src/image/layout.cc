#include "image/layout.h"

#include <string>

namespace pixmilter::image {

pixmilter::Status check_layout(const RawLayout& layout, std::string_view bytes) {
  if (layout.width == 0 || layout.height == 0 || layout.frames == 0)
    return Error{"holds no pixels: " + std::to_string(layout.width) + "x" + std::to_string(layout.height) +
                 ", " + std::to_string(layout.frames) + " frames"};
  if (layout.bands < 1 || layout.bands > 4)
    return Error{std::to_string(layout.bands) + " bands; 1 to 4 can be shown"};
  // Any of the partial products may pass 64 bits; so the check goes through a wider type.
  __extension__ typedef unsigned __int128 Wide;
  const Wide needed =
      Wide{layout.width} * layout.height * layout.bands * sample_bytes(layout.format) * layout.frames;
  const std::uint64_t present = bytes.size() < layout.offset ? 0 : bytes.size() - layout.offset;
  const auto claim = [&] {
    std::string text = std::to_string(layout.width) + "x" + std::to_string(layout.height) + ", " +
                       std::to_string(layout.bands) + " bands of " +
                       std::to_string(sample_bytes(layout.format)) + " bytes";
    if (layout.frames > 1) text += ", " + std::to_string(layout.frames) + " frames";
    return text;
  };
  if (needed > present)
    return Error{"too short: " + claim() + " take more than the " + std::to_string(present) +
                 " bytes there are"};
  if (needed < present) {
    const std::string_view rest = bytes.substr(layout.offset + static_cast<std::uint64_t>(needed));
    if (rest != "\n" && rest != "\r\n")
      return Error{"too long: " + std::to_string(rest.size()) + " bytes after the pixels of " + claim()};
  }
  return Done{};
}

}  // namespace pixmilter::image
