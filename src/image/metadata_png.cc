// PNG (ISO 15948) and its extensions: chunks are kept, edited or left out.
#include <array>

#include "base/ascii.h"
#include "image/bytes.h"
#include "image/exif.h"
#include "image/metadata_formats.h"
#include "image/xmp.h"

namespace pixmilter::image {
namespace {

using namespace std::string_view_literals;

// The CRC of PNG's annex D.
std::uint32_t crc(std::string_view bytes) {
  static const auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value & 1 ? 0xEDB88320u ^ value >> 1 : value >> 1;
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t value = 0xFFFFFFFFu;
  for (const char c : bytes) value = kTable[(value ^ static_cast<unsigned char>(c)) & 255] ^ value >> 8;
  return ~value;
}

// What is needed to show the pixels as they were meant; upper case first letters are critical anyway.
bool shows_pixels(std::string_view type) {
  if (type[0] >= 'A' && type[0] <= 'Z') return true;
  for (std::string_view known : {"tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "mDCV", "cLLI",
                                 "bKGD", "hIST", "pHYs", "sPLT", "acTL", "fcTL", "fdAT"})
    if (type == known) return true;
  return false;
}

class PngStripper {
 public:
  PngStripper(std::string_view bytes, Strip strip) : in_(bytes), all_(strip == Strip::all) {}

  Result<Stripped> run() {
    out_.bytes.reserve(in_.size());
    out_.bytes.append(in_, 0, 8);
    for (std::size_t at = 8;;) {
      if (!has(in_, at, 12)) return Error{"png: ends without IEND"};
      const std::uint64_t length = u32_big(in_, at);
      if (!has(in_, at, length + 12)) return Error{"png: ends within a chunk"};
      const std::string_view chunk = in_.substr(at, static_cast<std::size_t>(length) + 12);
      at += chunk.size();
      const std::string_view type = chunk.substr(4, 4);
      one(type, chunk, chunk.substr(8, chunk.size() - 12));
      if (type != "IEND") continue;
      if (at != in_.size()) out_.changed = true;  // what follows is not the picture
      return std::move(out_);
    }
  }

 private:
  void one(std::string_view type, std::string_view chunk, std::string_view data) {
    if (type == "eXIf") return exif(chunk, data);
    if (type == "tEXt" || type == "zTXt" || type == "iTXt") return text(type, chunk, data);
    if (all_ && !shows_pixels(type)) return drop();
    out_.bytes.append(chunk);
  }

  void exif(std::string_view chunk, std::string_view data) {
    std::string cleaned(data);
    const Result<ExifFacts> facts = clean_exif(cleaned);
    out_.location = out_.location || (facts && facts->location);
    if (facts && !all_) {
      if (!facts->location && !facts->thumbnail) {
        out_.bytes.append(chunk);
        return;
      }
      put("eXIf", cleaned);
      out_.changed = true;
      return;
    }
    const std::string orientation = facts ? orientation_exif(facts->orientation) : std::string();
    if (!facts || facts->orientation == 1) return drop();
    put("eXIf", orientation);
    if (data != orientation) out_.changed = true;
  }

  // keyword, a zero byte, and what belongs to it. Exif and XMP come in such clothes too.
  void text(std::string_view type, std::string_view chunk, std::string_view data) {
    const std::string_view keyword = data.substr(0, data.find('\0'));
    const bool xmp = keyword == "XML:com.adobe.xmp";
    const bool profile = ascii::istarts_with(keyword, "Raw profile type");
    const bool place = ascii::ifind(keyword, "gps") != std::string_view::npos ||
                       ascii::ifind(keyword, "location") != std::string_view::npos;
    if (xmp && type == "iTXt" && has(data, keyword.size(), 5) && data[keyword.size() + 1] == '\0') {
      // Not compressed; language and translated keyword end with a zero each.
      std::size_t at = keyword.size() + 3;
      for (int i = 0; i < 2 && at != std::string_view::npos; ++i) {
        at = data.find('\0', at);
        if (at != std::string_view::npos) ++at;
      }
      if (at == std::string_view::npos) return drop();
      const XmpEdit edit = clean_xmp(data.substr(at));
      out_.location = out_.location || edit.location;
      if (all_ || (edit.changed && edit.text.empty())) return drop();
      if (edit.changed) {
        put("iTXt", std::string(data.substr(0, at)) + edit.text);
        out_.changed = true;
        return;
      }
    } else if (all_ || xmp || profile || place) {
      // A compressed packet, or a profile in hexadecimal: unseen, so it goes.
      out_.location = out_.location || place;
      return drop();
    }
    out_.bytes.append(chunk);
  }

  void put(std::string_view type, std::string_view data) {
    put_u32_big(out_.bytes, data.size());
    const std::size_t begin = out_.bytes.size();
    out_.bytes.append(type).append(data);
    put_u32_big(out_.bytes, crc(std::string_view(out_.bytes).substr(begin)));
  }
  void drop() { out_.changed = true; }

  std::string_view in_;
  bool all_;
  Stripped out_;
};

}  // namespace

Result<Stripped> strip_png(std::string_view bytes, Strip strip) { return PngStripper(bytes, strip).run(); }

}  // namespace pixmilter::image
