// CachedPicture: a rendered picture as it goes out, so that using it again costs a copy.
//
// Outside this process (in Redis) it is an entry: version, checksum, what it says of itself, base64 lines.
// Whoever reaches the server may have written it, so an entry is believed no more than a render worker is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/own_pages.h"
#include "base/result.h"
#include "image/job.h"

namespace pixmilter::source {

struct CachedPicture {
  image::Format format = image::Format::unknown;  // png, jpeg or gif
  std::uint32_t width = 0;                        // pixels
  std::uint32_t height = 0;                       // pixels, of one frame
  std::uint32_t frames = 1;
  std::uint64_t bytes = 0;  // of the picture, before base64
  Digest digest{};          // SHA-256 of the picture
  KeptString lines;         // base64, 76 characters and CRLF a line
};
// Shared between messages and threads; never changes.
using CachedPicturePtr = std::shared_ptr<const CachedPicture>;

// The picture of a result that is ok. Nothing where its lines would not decode to it.
CachedPicturePtr cached_picture(const image::ImageResult& result);

// Memory it takes, everything counted.
std::uint64_t footprint(const CachedPicture& picture);

// Appends the lines with this line end ("\r\n" or "\n").
void append_lines(const CachedPicture& picture, std::string_view eol, std::string& out);
// Whether the body of a part is these lines; the last line end may be missing.
bool holds_lines(std::string_view body, const CachedPicture& picture, std::string_view eol);
// The picture without base64.
std::string decoded(const CachedPicture& picture);

// The entry for a key: an entry that was stored under another does not pass.
std::string write_entry(const Digest& key, const CachedPicture& picture);
// Whoever made the entry, what passes is a picture of a format that may go out, of at most max_pixels, walked
// from its first byte to its last. Its lines are made here.
Result<CachedPicturePtr> read_entry(const Digest& key, std::string_view entry, std::uint64_t max_pixels);

}  // namespace pixmilter::source
