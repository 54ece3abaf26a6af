#include "source/cached_picture.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "image/check_picture.h"

namespace pixmilter::source {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::size_t kLine = 76;  // characters of base64

// What malloc and the control block of a shared pointer add.
constexpr std::uint64_t kOverhead = 64;

// An entry: magic and version, SHA-256 of the key and of all that follows, four numbers, the lines.
constexpr std::string_view kMagic = "pixmilter picture 1\n";
constexpr std::size_t kFacts = 1 + 3 * 4;
constexpr std::size_t kHead = kMagic.size() + std::tuple_size_v<Digest> + kFacts;

void put32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

Digest checksum(const Digest& key, std::string_view content) {
  return Hasher()
      .field(std::string_view(reinterpret_cast<const char*>(key.data()), key.size()))
      .field(content)
      .finish();
}

std::string facts(const CachedPicture& picture) {
  std::string out(1, static_cast<char>(picture.format));
  put32(out, picture.width);
  put32(out, picture.height);
  put32(out, picture.frames);
  return out;
}

// Calls line(characters) for each line without its end, as long as that returns true.
template <class Line>
bool each_line(std::string_view lines, Line line) {
  while (!lines.empty()) {
    const std::size_t length = std::min(kLine, lines.size() - kCrlf.size());
    if (!line(lines.substr(0, length))) return false;
    lines.remove_prefix(length + kCrlf.size());
  }
  return true;
}

CachedPicturePtr with_lines(CachedPicture picture, std::string_view bytes) {
  picture.bytes = bytes.size();
  picture.digest = sha256(bytes);
  std::string lines;
  base64::encode_lines(bytes, kCrlf, lines);
  picture.lines = lines;
  return std::make_shared<const CachedPicture>(std::move(picture));
}

}  // namespace

CachedPicturePtr cached_picture(const image::ImageResult& result) {
  CachedPicture picture;
  picture.format = result.format;
  picture.width = result.width;
  picture.height = result.height;
  picture.frames = result.frames;
  CachedPicturePtr made = with_lines(std::move(picture), result.bytes);
  // Once for all messages that copy the lines: they are compared with them and not decoded again.
  if (result.bytes.empty() || !base64::decodes_to(made->lines, result.bytes)) return nullptr;
  return made;
}

std::uint64_t footprint(const CachedPicture& picture) {
  return sizeof picture + footprint_in_own_pages(picture.lines.capacity() + 1) + kOverhead;
}

void append_lines(const CachedPicture& picture, std::string_view eol, std::string& out) {
  if (eol == kCrlf) {
    out.append(picture.lines);
    return;
  }
  out.reserve(out.size() + picture.lines.size());
  each_line(picture.lines, [&](std::string_view line) {
    out.append(line).append(eol);
    return true;
  });
}

bool holds_lines(std::string_view body, const CachedPicture& picture, std::string_view eol) {
  if (body.ends_with(eol)) body.remove_suffix(eol.size());
  if (eol == kCrlf) return body == std::string_view(picture.lines).substr(0, picture.lines.size() - 2);
  std::size_t at = 0;
  return each_line(picture.lines,
                   [&](std::string_view line) {
                     if (at > 0) {
                       if (body.substr(std::min(at, body.size()), eol.size()) != eol) return false;
                       at += eol.size();
                     }
                     if (body.substr(std::min(at, body.size()), line.size()) != line) return false;
                     at += line.size();
                     return true;
                   }) &&
         at == body.size();
}

std::string decoded(const CachedPicture& picture) { return base64::decode_lenient(picture.lines); }

std::string write_entry(const Digest& key, const CachedPicture& picture) {
  std::string content = facts(picture);
  content.reserve(content.size() + picture.lines.size());
  content.append(picture.lines);
  const Digest sum = checksum(key, content);
  std::string entry;
  entry.reserve(kHead + picture.lines.size());
  entry.append(kMagic).append(reinterpret_cast<const char*>(sum.data()), sum.size()).append(content);
  return entry;
}

Result<CachedPicturePtr> read_entry(const Digest& key, std::string_view entry, std::uint64_t max_pixels) {
  if (entry.size() <= kHead || !entry.starts_with(kMagic)) return Error{"no entry of this version"};
  const std::string_view content = entry.substr(kHead - kFacts);
  const Digest sum = checksum(key, content);
  if (!std::equal(sum.begin(), sum.end(), entry.begin() + kMagic.size(),
                  [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }))
    return Error{"the checksum does not fit"};
  const std::string bytes = base64::decode_lenient(content.substr(kFacts));
  const Result<image::PictureFacts> found = image::check_picture(bytes);
  if (!found) return found.error();
  if (std::uint64_t{found->width} * found->height > max_pixels) return Error{"more pixels than max_pixels"};
  CachedPicture picture;
  picture.format = found->format;
  picture.width = found->width;
  picture.height = found->height;
  picture.frames = found->frames;
  if (facts(picture) != content.substr(0, kFacts)) return Error{"another picture than it says"};
  CachedPicturePtr made = with_lines(std::move(picture), bytes);
  if (std::string_view(made->lines) != content.substr(kFacts))
    return Error{"its lines are not those of its picture"};
  return made;
}

}  // namespace pixmilter::source
