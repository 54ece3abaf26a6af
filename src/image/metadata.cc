#include "image/metadata.h"

#include "image/format.h"
#include "image/metadata_formats.h"

namespace pixmilter::image {
namespace {

Result<Stripped> strip_any(std::string_view bytes, Strip strip) {
  switch (sniff(bytes)) {
    case Format::jpeg:
      return strip_jpeg(bytes, strip);
    case Format::png:
      return strip_png(bytes, strip);
    case Format::gif:
      return strip_gif(bytes, strip);
    default:
      return Error{"metadata: neither PNG, JPEG nor GIF"};
  }
}

}  // namespace

Result<std::optional<std::string>> strip_metadata(std::string_view bytes, Strip strip) {
  std::optional<std::string> out;
  if (strip == Strip::none) return out;
  Result<Stripped> stripped = strip_any(bytes, strip);
  if (!stripped) return stripped.error();
  if (stripped->changed) out = std::move(stripped->bytes);
  return out;
}

bool has_location(std::string_view bytes) {
  const Result<Stripped> stripped = strip_any(bytes, Strip::gps);
  return stripped && stripped->location;
}

}  // namespace pixmilter::image
