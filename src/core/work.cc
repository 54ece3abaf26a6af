#include "core/work.h"

#include "base/base64.h"

namespace pixmilter::core {

std::string_view Picture::bytes() const {
  if (!cached) return as_is() ? job.bytes : std::string_view(result.bytes);
  if (decoded_.empty()) decoded_ = source::decoded(*cached);
  return decoded_;
}

Digest Picture::digest() const {
  if (cached) return cached->digest;
  return as_is() && source ? *source : sha256(bytes());
}

void Picture::append_lines(std::string_view eol, std::string& out) const {
  if (cached)
    source::append_lines(*cached, eol, out);
  else
    base64::encode_lines(bytes(), eol, out);
}

void Picture::take(source::CachedPicturePtr picture) {
  forget();
  result.status = image::Status::ok;
  result.format = picture->format;
  result.width = picture->width;
  result.height = picture->height;
  result.frames = picture->frames;
  cached = std::move(picture);
}

void Picture::forget() {
  result = {};
  cached.reset();
  decoded_.clear();
}

}  // namespace pixmilter::core
