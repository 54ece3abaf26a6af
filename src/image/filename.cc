#include "image/filename.h"

#include <algorithm>
#include <cstdint>

#include "base/ascii.h"

namespace pixmilter::image {
namespace {

// Extensions of the formats that are replaced, and of bare pixels.
bool known_extension(std::string_view extension) {
  for (std::string_view known :
       {"png",  "apng", "jpg",  "jpeg", "jpe", "jfif", "gif", "webp", "tif", "tiff", "heic", "heif", "hif",
        "avif", "svg",  "svgz", "bmp",  "dib", "pnm",  "pbm", "pgm",  "ppm", "pfm",  "pam",  "npy",  "raw",
        "rgb",  "rgba", "gray", "bin",  "dat", "jxl",  "jp2", "j2k",  "jpx", "jpf",  "jpc"})
    if (ascii::iequals(extension, known)) return true;
  return false;
}
bool says(std::string_view extension, Format format) {
  if (format == Format::jpeg)
    return ascii::iequals(extension, "jpg") || ascii::iequals(extension, "jpeg") ||
           ascii::iequals(extension, "jpe");
  if (format == Format::tiff && ascii::iequals(extension, "tiff")) return true;
  return ascii::iequals(extension, image::extension(format));
}

// The next character of UTF-8, and its length in bytes; 0xFFFD and 1 where there is none.
std::uint32_t next_character(std::string_view text, std::size_t& length) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  length = 1;
  if (byte(0) < 0x80) return byte(0);
  const std::size_t size = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < size) return 0xFFFD;
  std::uint32_t value = byte(0) & (0x7F >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0xFFFD;
    value = value << 6 | (byte(i) & 0x3F);
  }
  static constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[size] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return 0xFFFD;
  length = size;
  return value;
}

// Control characters, and what is not seen but changes what is: directions, joiners, line separators.
bool invisible(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

bool is_device(std::string_view stem) {
  const std::string_view base = stem.substr(0, stem.find('.'));
  for (std::string_view known : {"con", "prn", "aux", "nul"})
    if (ascii::iequals(base, known)) return true;
  return base.size() == 4 && ascii::is_digit(base[3]) &&
         (ascii::istarts_with(base, "com") || ascii::istarts_with(base, "lpt"));
}

// A name without folders, extension and all that may not stand in one. May be empty.
std::string clean(std::string_view text, bool has_folders) {
  if (has_folders) {
    const std::size_t slash = text.find_last_of("/\\");
    if (slash != std::string_view::npos) text.remove_prefix(slash + 1);
  }
  std::string out;
  for (std::size_t at = 0, length = 0; at < text.size(); at += length) {
    const std::uint32_t c = next_character(text.substr(at), length);
    if (c == '\t' || c == '\n' || c == '\r')
      out += ' ';
    else if (invisible(c))
      continue;
    else if (c == 0xFFFD || (c < 0x80 && std::string_view("/\\<>:\"|?*").find(static_cast<char>(c)) !=
                                             std::string_view::npos))
      out += '_';
    else
      out.append(text, at, length);
  }
  // Runs of spaces come from folded header fields.
  out.erase(std::unique(out.begin(), out.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
            out.end());
  const std::size_t begin = out.find_first_not_of(". ");
  if (begin == std::string::npos) return {};
  out.erase(0, begin);
  out.erase(out.find_last_not_of(". ") + 1);
  return out;
}

void cut_to(std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  text.resize(bytes);
}

// Takes picture extensions off; the last one is given back where it says the format itself.
std::string take_extensions(std::string& stem, Format format) {
  std::string own;
  for (bool first = true;; first = false) {
    const std::size_t dot = stem.rfind('.');
    if (dot == std::string::npos || dot == 0) return own;
    const std::string_view extension = std::string_view(stem).substr(dot + 1);
    if (!known_extension(extension)) return own;
    if (first && says(extension, format)) own = extension;
    stem.resize(dot);
    while (!stem.empty() && (stem.back() == '.' || stem.back() == ' ')) stem.pop_back();
  }
}

}  // namespace

std::string picture_name(const NameHints& hints, Format format, std::size_t number) {
  std::string_view id = hints.content_id;
  if (id.starts_with('<')) id.remove_prefix(1);
  id = id.substr(0, id.find_first_of("@>"));

  std::string stem = clean(hints.filename, true);
  std::string extension = take_extensions(stem, format);
  for (const std::string_view other : {hints.description, id}) {
    if (!stem.empty()) break;
    stem = clean(other, false);
    extension = take_extensions(stem, format);
  }
  if (stem.empty()) stem = "image-" + std::to_string(number);
  if (is_device(stem)) stem.insert(0, 1, '_');
  if (extension.empty()) extension = image::extension(format);
  cut_to(stem, kMaxNameBytes - 1 - extension.size());
  while (!stem.empty() && stem.back() == ' ') stem.pop_back();
  return stem + "." + extension;
}

}  // namespace pixmilter::image
