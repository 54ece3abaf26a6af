// JPEG (ITU T.81): segments before, between and behind the scans are kept, edited or left out; what is coded
// is copied.
#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "image/bytes.h"
#include "image/exif.h"
#include "image/metadata_formats.h"
#include "image/photoshop.h"
#include "image/xmp.h"

namespace pixmilter::image {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kExifHead = "Exif\0\0"sv;
constexpr std::string_view kXmpHead = "http://ns.adobe.com/xap/1.0/\0"sv;
constexpr std::string_view kExtendedXmpHead = "http://ns.adobe.com/xmp/extension/\0"sv;
constexpr std::string_view kPhotoshopHead = "Photoshop 3.0\0"sv;

enum Marker : std::uint32_t {
  kTem = 0x01,
  kRst0 = 0xD0,
  kSoi = 0xD8,
  kEoi = 0xD9,
  kSos = 0xDA,
  kApp0 = 0xE0,
  kApp1 = 0xE1,
  kApp2 = 0xE2,
  kApp13 = 0xED,
  kApp14 = 0xEE,
  kApp15 = 0xEF,
  kCom = 0xFE,
};

class JpegStripper {
 public:
  JpegStripper(std::string_view bytes, Strip strip) : in_(bytes), all_(strip == Strip::all) {}

  Result<Stripped> run() {
    keep(in_.substr(0, 2));
    std::size_t at = 2;
    for (;;) {
      if (!has(in_, at, 2)) return Error{"jpeg: ends without its end marker"};
      if (u8(in_, at) != 0xFF) return Error{"jpeg: a marker is missing"};
      const std::uint32_t marker = u8(in_, at + 1);
      if (marker == 0xFF) {  // fill
        keep(in_.substr(at++, 1));
        continue;
      }
      if (marker == kEoi) break;
      if (marker == kTem || (marker >= kRst0 && marker <= kSoi)) {
        keep(in_.substr(at, 2));
        at += 2;
        continue;
      }
      if (!has(in_, at, 4)) return Error{"jpeg: ends within a segment"};
      const std::uint32_t length = u16_big(in_, at + 2);
      if (length < 2 || !has(in_, at + 2, length)) return Error{"jpeg: ends within a segment"};
      segment(marker, in_.substr(at, 2 + length));
      at += 2 + length;
      if (marker == kSos) {
        const std::size_t end = end_of_scan(at);
        keep(in_.substr(at, end - at));
        at = end;
      }
    }
    keep(in_.substr(at, 2));
    // Previews (with an Exif of their own), films and makers' notes stand behind the end: they are not the
    // picture.
    if (at + 2 < in_.size()) out_.changed = true;
    put_orientation();
    if (out_.changed) {
      out_.bytes.reserve(in_.size());
      for (const std::string_view piece : pieces_) out_.bytes.append(piece);
      if (out_.bytes == in_) out_.changed = false;  // what was taken out was all that was put back
    }
    return std::move(out_);
  }

 private:
  // Behind entropy-coded data: at the next marker that is no restart.
  std::size_t end_of_scan(std::size_t at) const {
    for (;;) {
      at = in_.find('\xFF', at);
      if (at == std::string_view::npos || at + 1 >= in_.size()) return in_.size();
      const std::uint32_t next = u8(in_, at + 1);
      if (next != 0 && !(next >= kRst0 && next < kSoi)) return at;
      at += 2;
    }
  }

  // segment: marker, length and content.
  void segment(std::uint32_t marker, std::string_view segment) {
    const std::string_view content = segment.substr(4);
    if (marker == kApp0) return app0(segment, content);
    if (marker == kApp1) return app1(segment, content);
    if (marker == kApp2) {
      if (content.starts_with("ICC_PROFILE\0"sv)) return keep(segment);
      return content.starts_with("MPF\0"sv) || all_ ? drop() : keep(segment);
    }
    if (marker == kApp13) return app13(segment, content);
    // Adobe's APP14 says what the colours are.
    const bool descriptive = (marker >= kApp0 && marker <= kApp15 && marker != kApp14) || marker == kCom;
    if (all_ && (descriptive || (marker == kApp14 && !content.starts_with("Adobe")))) return drop();
    keep(segment);
  }

  void app0(std::string_view segment, std::string_view content) {
    if (content.starts_with("JFXX\0"sv)) return drop();  // nothing but a thumbnail
    if (!content.starts_with("JFIF\0"sv)) return all_ ? drop() : keep(segment);
    if (content.size() <= 14 || (content[12] == 0 && content[13] == 0)) return keep(segment);
    std::string without(content.substr(0, 12));
    without.append(2, '\0');
    put(kApp0, without);
    out_.changed = true;
  }

  void app1(std::string_view segment, std::string_view content) {
    if (content.starts_with(kExifHead)) {
      std::string exif(content.substr(kExifHead.size()));
      const Result<ExifFacts> facts = clean_exif(exif);
      if (facts && facts->orientation != 1) orientation_ = facts->orientation;
      out_.location = out_.location || (facts && facts->location);
      if (!facts || all_) {
        if (exif_at_ == 0) exif_at_ = pieces_.size();
        return drop();
      }
      has_exif_ = true;
      if (!facts->location && !facts->thumbnail) return keep(segment);
      put(kApp1, std::string(kExifHead) + exif);
      out_.changed = true;
    } else if (content.starts_with(kXmpHead)) {
      const XmpEdit xmp = clean_xmp(content.substr(kXmpHead.size()));
      out_.location = out_.location || xmp.location;
      if (all_ || (xmp.changed && xmp.text.empty())) return drop();
      if (!xmp.changed) return keep(segment);
      put(kApp1, std::string(kXmpHead) + xmp.text);
      out_.changed = true;
    } else if (content.starts_with(kExtendedXmpHead) || all_) {
      drop();  // a part of a packet that may hold anything, mostly pictures
    } else {
      keep(segment);
    }
  }

  void app13(std::string_view segment, std::string_view content) {
    if (!content.starts_with(kPhotoshopHead)) return all_ ? drop() : keep(segment);
    const ResourcesEdit edit = clean_resources(content.substr(kPhotoshopHead.size()));
    out_.location = out_.location || edit.location;
    if (all_ || (edit.changed && edit.bytes.empty())) return drop();
    if (!edit.changed) return keep(segment);
    put(kApp13, std::string(kPhotoshopHead) + edit.bytes);
    out_.changed = true;
  }

  void keep(std::string_view piece) {
    if (!pieces_.empty() && pieces_.back().data() + pieces_.back().size() == piece.data())
      pieces_.back() = {pieces_.back().data(), pieces_.back().size() + piece.size()};
    else
      pieces_.push_back(piece);
  }
  void drop() { out_.changed = true; }
  void put(std::uint32_t marker, std::string_view content) {
    keep(made_.emplace_back(framed(marker, content)));
  }
  static std::string framed(std::uint32_t marker, std::string_view content) {
    const std::size_t length = content.size() + 2;  // edits only shorten, so it fits
    std::string out = "\xFF";
    out += static_cast<char>(marker);
    out += static_cast<char>(length >> 8);
    out += static_cast<char>(length);
    out.append(content);
    return out;
  }

  // Exif was left out: what it said of the orientation comes back where it stood.
  void put_orientation() {
    if (orientation_ == 1 || has_exif_ || exif_at_ == 0) return;
    made_.push_back(framed(kApp1, std::string(kExifHead) + orientation_exif(orientation_)));
    pieces_.insert(pieces_.begin() + static_cast<std::ptrdiff_t>(exif_at_), made_.back());
  }

  std::string_view in_;
  bool all_;
  Stripped out_;
  // The new picture: of the old one, and of what was made for it. Joined where anything changes.
  std::vector<std::string_view> pieces_;
  std::deque<std::string> made_;
  std::uint32_t orientation_ = 1;
  bool has_exif_ = false;
  std::size_t exif_at_ = 0;  // in pieces_
};

}  // namespace

Result<Stripped> strip_jpeg(std::string_view bytes, Strip strip) { return JpegStripper(bytes, strip).run(); }

}  // namespace pixmilter::image
