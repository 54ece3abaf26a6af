#include "image/format.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/ascii.h"
#include "image/bytes.h"

namespace pixmilter::image {
namespace {

struct Words {
  Format format;
  std::string_view name;
  std::string_view media_type;
  std::string_view extension;
};

// In the order of the enumeration.
constexpr std::array kWords{
    Words{Format::unknown, "unknown", "application/octet-stream", "bin"},
    Words{Format::png, "png", "image/png", "png"},
    Words{Format::jpeg, "jpeg", "image/jpeg", "jpg"},
    Words{Format::gif, "gif", "image/gif", "gif"},
    Words{Format::webp, "webp", "image/webp", "webp"},
    Words{Format::tiff, "tiff", "image/tiff", "tif"},
    Words{Format::heif, "heif", "image/heic", "heic"},
    Words{Format::avif, "avif", "image/avif", "avif"},
    Words{Format::svg, "svg", "image/svg+xml", "svg"},
    Words{Format::bmp, "bmp", "image/bmp", "bmp"},
    Words{Format::pnm, "pnm", "image/x-portable-anymap", "pnm"},
    Words{Format::pfm, "pfm", "image/x-portable-floatmap", "pfm"},
    Words{Format::pam, "pam", "image/x-portable-arbitrarymap", "pam"},
    Words{Format::npy, "npy", "application/x-npy", "npy"},
    Words{Format::raw, "raw", "image/x-raw-pixels", "raw"},
    Words{Format::jxl, "jxl", "image/jxl", "jxl"},
    Words{Format::jp2, "jp2", "image/jp2", "jp2"},
};

const Words& words(Format format) {
  const auto index = static_cast<std::size_t>(format);
  return kWords[index < kWords.size() ? index : 0];
}

// ISO base media files begin with an ftyp box: size, "ftyp", major brand, version, compatible brands
// (ISO 14496-12 section 4.3). The major brand decides; the generic ones leave it to the compatible brands.
Format sniff_ftyp(std::string_view bytes) {
  if (bytes.size() < 16 || bytes.substr(4, 4) != "ftyp") return Format::unknown;
  const std::size_t size = std::min<std::size_t>(u32_big(bytes, 0), bytes.size());
  const auto of_brand = [](std::string_view brand) {
    if (brand == "avif" || brand == "avis") return Format::avif;
    for (std::string_view heif : {"heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "hevs"})
      if (brand == heif) return Format::heif;
    return Format::unknown;
  };
  const std::string_view major = bytes.substr(8, 4);
  if (const Format format = of_brand(major); format != Format::unknown) return format;
  bool generic = major == "mif1" || major == "msf1";
  for (std::size_t at = 16; at + 4 <= size; at += 4) {
    const std::string_view brand = bytes.substr(at, 4);
    if (const Format format = of_brand(brand); format != Format::unknown) return format;
    generic = generic || brand == "mif1";
  }
  return generic ? Format::heif : Format::unknown;
}

// Windows bitmaps: "BM" alone is the start of many a text, so the header that follows has to be a known one.
bool is_bmp(std::string_view bytes) {
  if (bytes.size() < 26 || !bytes.starts_with("BM")) return false;
  switch (u32_little(bytes, 14)) {
    case 12:
    case 16:
    case 40:
    case 52:
    case 56:
    case 64:
    case 108:
    case 124:
      return true;
    default:
      return false;
  }
}

Format sniff_netpbm(std::string_view bytes) {
  if (bytes.size() < 3 || bytes[0] != 'P') return Format::unknown;
  const char kind = bytes[1];
  const char next = bytes[2];
  if (kind == '7') return next == '\n' ? Format::pam : Format::unknown;
  const bool ends = ascii::is_space(next) || next == '\v';
  if (kind == 'F' || kind == 'f') return ends ? Format::pfm : Format::unknown;
  if (kind >= '1' && kind <= '6' && (ends || next == '#')) return Format::pnm;
  return Format::unknown;
}

// The characters of an XML text in UTF-8 or UTF-16, as far as they are ASCII (others come out as 0x80):
// enough to pass over a prologue.
class XmlText {
 public:
  explicit XmlText(std::string_view bytes) : bytes_(bytes) {
    if (bytes.starts_with("\xEF\xBB\xBF")) {
      at_ = 3;
    } else if (bytes.starts_with("\xFE\xFF")) {
      at_ = 2, width_ = 2, high_ = 0;
    } else if (bytes.starts_with("\xFF\xFE")) {
      at_ = 2, width_ = 2, high_ = 1;
    } else if (bytes.size() >= 2 && bytes[0] == '\0' && bytes[1] == '<') {
      width_ = 2, high_ = 0;
    } else if (bytes.size() >= 2 && bytes[0] == '<' && bytes[1] == '\0') {
      width_ = 2, high_ = 1;
    }
  }
  bool at_end() const { return bytes_.size() - at_ < width_; }
  char peek(std::size_t ahead = 0) const {
    const std::size_t at = at_ + ahead * width_;
    if (at + width_ > bytes_.size()) return '\0';
    const char low = bytes_[at + (width_ == 2 ? 1 - high_ : 0)];
    if ((width_ == 2 && bytes_[at + high_] != '\0') || static_cast<unsigned char>(low) >= 0x80) return '\x80';
    return low;
  }
  void skip(std::size_t count = 1) { at_ = std::min(bytes_.size(), at_ + count * width_); }
  bool starts_with(std::string_view text) const {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (peek(i) != text[i]) return false;
    return true;
  }
  // After the next occurrence; false where there is none.
  bool skip_past(std::string_view text) {
    for (; !at_end(); skip()) {
      if (!starts_with(text)) continue;
      skip(text.size());
      return true;
    }
    return false;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::size_t width_ = 1;
  std::size_t high_ = 0;
};

// <!DOCTYPE ...> with quoted strings and an internal subset, whose comments may hold anything.
bool skip_doctype(XmlText& text) {
  int depth = 0;
  bool subset = false;
  while (!text.at_end()) {
    const char c = text.peek();
    if (text.starts_with("<!--")) {
      if (!text.skip_past("-->")) return false;
      continue;
    }
    if (text.starts_with("<?")) {
      if (!text.skip_past("?>")) return false;
      continue;
    }
    text.skip();
    if (c == '"' || c == '\'') {
      while (!text.at_end() && text.peek() != c) text.skip();
      text.skip();
    } else if (c == '[') {
      subset = true;
    } else if (c == ']') {
      subset = false;
    } else if (c == '<') {
      ++depth;
    } else if (c == '>') {
      if (--depth == 0 && !subset) return true;
    }
  }
  return false;
}

// The first element is <svg> or <prefix:svg>.
bool is_svg(std::string_view bytes) {
  XmlText text(bytes);
  while (!text.at_end()) {
    if (ascii::is_space(text.peek())) {
      text.skip();
    } else if (text.starts_with("<?")) {
      if (!text.skip_past("?>")) return false;
    } else if (text.starts_with("<!--")) {
      if (!text.skip_past("-->")) return false;
    } else if (text.starts_with("<!DOCTYPE") || text.starts_with("<!doctype")) {
      if (!skip_doctype(text)) return false;
    } else {
      break;
    }
  }
  if (text.peek() != '<') return false;
  text.skip();
  std::size_t length = 0;
  std::size_t local = 0;
  for (char c = text.peek(); c != '\0' && c != '>' && c != '/' && !ascii::is_space(c);
       c = text.peek(++length)) {
    if (c == ':') local = length + 1;
    if (length > 255) return false;
  }
  text.skip(local);
  return length - local == 3 && text.starts_with("svg");
}

}  // namespace

Format sniff(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.empty()) return Format::unknown;
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) return Format::png;
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) return Format::jpeg;
  if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) return Format::gif;
  if (bytes.size() >= 16 && bytes.starts_with("RIFF"sv) && bytes.substr(8, 4) == "WEBP"sv)
    return Format::webp;
  // Classic TIFF has version 42, BigTIFF 43.
  if (bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv) || bytes.starts_with("II+\0"sv) ||
      bytes.starts_with("MM\0+"sv))
    return Format::tiff;
  if (bytes.starts_with("\x93NUMPY"sv)) return Format::npy;
  if (bytes.starts_with("\0\0\0\x0CJXL \r\n\x87\n"sv) || bytes.starts_with("\xFF\x0A"sv)) return Format::jxl;
  if (bytes.starts_with("\0\0\0\x0CjP  \r\n\x87\n"sv) || bytes.starts_with("\xFF\x4F\xFF\x51"sv))
    return Format::jp2;
  if (const Format format = sniff_ftyp(bytes); format != Format::unknown) return format;
  if (is_bmp(bytes)) return Format::bmp;
  if (const Format format = sniff_netpbm(bytes); format != Format::unknown) return format;
  if (is_svg(bytes)) return Format::svg;
  return Format::unknown;
}

std::string_view other_kind(std::string_view bytes) {
  using namespace std::string_view_literals;
  struct Kind {
    std::string_view begin, words;
  };
  static constexpr Kind kKinds[] = {
      {"%PDF-"sv, "a PDF"},
      {"%!PS"sv, "PostScript"},
      {"PK\x03\x04"sv, "a ZIP archive"},
      {"\x1F\x8B"sv, "a gzip file"},
      {"\0\0\x01\0"sv, "an icon (ICO)"},
      {"\xD7\xCD\xC6\x9A"sv, "a metafile (WMF)"},
      {"8BPS"sv, "a Photoshop file"},
      {"\x1A\x45\xDF\xA3"sv, "a video"},
  };
  for (const Kind& kind : kKinds)
    if (bytes.starts_with(kind.begin)) return kind.words;
  if (bytes.size() > 44 && bytes.starts_with("\x01\0\0\0"sv) && bytes.substr(40, 4) == " EMF"sv)
    return "a metafile (EMF)";
  if (bytes.size() > 12 && bytes.substr(4, 4) == "ftyp"sv) return "a video";
  const std::string_view text = ascii::trim(bytes.substr(0, 512));
  if (ascii::istarts_with(text, "<!doctype html") || ascii::istarts_with(text, "<html"))
    return "a page of HTML";
  if (text.starts_with('<')) return "XML or HTML";
  if (text.starts_with('{') || text.starts_with('[')) return "JSON";
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= ' ' || ascii::is_space(c);
  });
  return printable && !text.empty() ? "text" : "";
}

std::string_view name(Format format) { return words(format).name; }
std::string_view media_type(Format format) { return words(format).media_type; }
std::string_view extension(Format format) { return words(format).extension; }
bool shown_everywhere(Format format) {
  return format == Format::png || format == Format::jpeg || format == Format::gif;
}

}  // namespace pixmilter::image
