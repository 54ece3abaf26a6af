// GIF89a: extensions are kept or left out.
#include "image/bytes.h"
#include "image/metadata_formats.h"
#include "image/xmp.h"

namespace pixmilter::image {
namespace {

class GifStripper {
 public:
  GifStripper(std::string_view bytes, Strip strip) : in_(bytes), all_(strip == Strip::all) {}

  Result<Stripped> run() {
    if (!has(in_, 0, 13)) return cut_short();
    at_ = 13 + table(u8(in_, 10));
    if (at_ > in_.size()) return cut_short();
    out_.bytes.append(in_, 0, at_);
    while (at_ < in_.size()) {
      const std::size_t begin = at_;
      bool keep = true;
      if (in_[at_] == ';') {
        out_.bytes += ';';
        if (at_ + 1 != in_.size()) out_.changed = true;
        return std::move(out_);
      }
      if (in_[at_] == '!') {
        if (!has(in_, at_, 3)) return cut_short();
        at_ += 2;
        if (!skip_blocks()) return cut_short();
        keep = wanted(in_.substr(begin, at_ - begin));
      } else if (in_[at_] == ',') {
        if (!has(in_, at_, 11)) return cut_short();
        at_ += 11 + table(u8(in_, at_ + 9));
        if (!skip_blocks()) return cut_short();
      } else {
        return Error{"gif: a block of no known kind"};
      }
      if (keep)
        out_.bytes.append(in_, begin, at_ - begin);
      else
        out_.changed = true;
    }
    return cut_short();
  }

 private:
  static Error cut_short() { return Error{"gif: ends too early"}; }
  static std::size_t table(std::uint32_t flags) {
    return flags & 0x80 ? std::size_t{3} << ((flags & 7) + 1) : 0;
  }
  bool skip_blocks() {
    while (at_ < in_.size()) {
      const std::size_t size = u8(in_, at_);
      at_ += 1 + size;
      if (size == 0) return true;
    }
    return false;
  }

  bool wanted(std::string_view extension) {
    const std::uint32_t label = u8(extension, 1);
    if (label == 0xFE) return !all_;  // comment
    if (label != 0xFF || extension.size() < 14) return true;
    const std::string_view application = extension.substr(3, 11);
    if (application == "XMP DataXMP") {
      const bool location = clean_xmp_of(extension);
      out_.location = out_.location || location;
      return !all_ && !location;
    }
    return !all_ || application == "NETSCAPE2.0" || application == "ANIMEXTS1.0" ||
           application == "ICCRGBG1012";
  }
  // The packet stands there whole, followed by bytes that let readers of blocks find the end.
  static bool clean_xmp_of(std::string_view extension) {
    constexpr std::size_t kTrailer = 258;
    if (extension.size() < 14 + kTrailer) return true;
    return clean_xmp(extension.substr(14, extension.size() - 14 - kTrailer)).location;
  }

  std::string_view in_;
  bool all_;
  std::size_t at_ = 0;
  Stripped out_;
};

}  // namespace

Result<Stripped> strip_gif(std::string_view bytes, Strip strip) { return GifStripper(bytes, strip).run(); }

}  // namespace pixmilter::image
