// The formats made of ISO boxes: HEIF and AVIF (ISO 23008-12), JPEG 2000 (ISO 15444-1) and JPEG XL
// (ISO 18181), the bare codestreams of the latter two included.
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "image/bytes.h"
#include "image/header_readers.h"

namespace pixmilter::image {
namespace {

// Calls f(type, content) for each box until it returns false. Stops at what is no box.
void for_each_box(std::string_view bytes, const std::function<bool(std::string_view, std::string_view)>& f) {
  std::size_t at = 0;
  while (has(bytes, at, 8)) {
    std::uint64_t size = u32_big(bytes, at);
    std::size_t header = 8;
    if (size == 1) {  // the size follows in 64 bits
      if (!has(bytes, at, 16)) return;
      size = u64_big(bytes, at + 8);
      header = 16;
    } else if (size == 0) {  // to the end
      size = bytes.size() - at;
    }
    if (size < header || !has(bytes, at, size)) return;
    const auto length = static_cast<std::size_t>(size);
    if (!f(bytes.substr(at + 4, 4), bytes.substr(at + header, length - header))) return;
    at += length;
  }
}

std::string_view find_box(std::string_view bytes, std::string_view wanted) {
  std::string_view found;
  for_each_box(bytes, [&](std::string_view type, std::string_view content) {
    if (type != wanted) return true;
    found = content;
    return false;
  });
  return found;
}

// Reads bits from the least significant one of each byte on, as JPEG XL stores them. Zero behind the end.
class Bits {
 public:
  explicit Bits(std::string_view bytes) : bytes_(bytes) {}
  std::uint32_t take(std::uint32_t count) {
    std::uint32_t value = 0;
    for (std::uint32_t i = 0; i < count; ++i, ++at_)
      if (at_ / 8 < bytes_.size()) value |= (u8(bytes_, at_ / 8) >> at_ % 8 & 1) << i;
    return value;
  }
  bool past_end() const { return at_ > bytes_.size() * 8; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

// A side of a JPEG XL picture: two bits say how many follow.
std::uint32_t jxl_side(Bits& bits) {
  static constexpr std::uint32_t kLengths[] = {9, 13, 18, 30};
  return bits.take(kLengths[bits.take(2)]) + 1;
}

struct Property {
  std::string_view type;
  std::string_view content;
};

// The numbers, from 1, of the properties that the primary picture has. Tiles, thumbnails and alpha have
// theirs.
std::vector<std::uint32_t> primary_properties(std::string_view boxes, std::string_view ipma) {
  std::vector<std::uint32_t> out;
  const std::string_view pitm = find_box(boxes, "pitm");
  if (pitm.size() < 6 || ipma.size() < 8) return out;
  const bool wide_primary = u8(pitm, 0) > 0;
  if (wide_primary && pitm.size() < 8) return out;
  const std::uint32_t primary = wide_primary ? u32_big(pitm, 4) : u16_big(pitm, 4);
  const std::size_t id_bytes = u8(ipma, 0) > 0 ? 4 : 2;
  const std::size_t index_bytes = u8(ipma, 3) & 1 ? 2 : 1;
  std::size_t at = 8;
  for (std::uint32_t entries = u32_big(ipma, 4); entries > 0 && has(ipma, at, id_bytes + 1); --entries) {
    const std::uint32_t id = id_bytes == 4 ? u32_big(ipma, at) : u16_big(ipma, at);
    const std::uint32_t count = u8(ipma, at + id_bytes);
    at += id_bytes + 1;
    if (!has(ipma, at, count * index_bytes)) break;
    for (std::uint32_t i = 0; i < count && id == primary; ++i)  // the top bit says that it is essential
      out.push_back(index_bytes == 2 ? u16_big(ipma, at + i * 2) & 0x7FFF : u8(ipma, at + i) & 0x7F);
    at += count * index_bytes;
  }
  return out;
}

}  // namespace

Result<Header> read_heif_header(std::string_view bytes) {
  const std::string_view meta = find_box(bytes, "meta");
  if (meta.size() < 4) return Error{"heif: no meta box"};
  const std::string_view boxes = meta.substr(4);  // behind version and flags
  const std::string_view iprp = find_box(boxes, "iprp");
  std::vector<Property> properties;
  for_each_box(find_box(iprp, "ipco"), [&](std::string_view type, std::string_view content) {
    properties.push_back({type, content});
    return true;
  });
  Header header;
  for (const std::uint32_t index : primary_properties(boxes, find_box(iprp, "ipma"))) {
    if (index == 0 || index > properties.size()) continue;
    const auto& [type, content] = properties[index - 1];
    if (type == "ispe" && content.size() >= 12) {
      header.width = u32_big(content, 4);
      header.height = u32_big(content, 8);
    } else if (type == "clap" && content.size() >= 16 && u32_big(content, 4) && u32_big(content, 12)) {
      // The clean aperture: what is coded is padded to whole blocks.
      header.width = u32_big(content, 0) / u32_big(content, 4);
      header.height = u32_big(content, 8) / u32_big(content, 12);
    } else if (type == "pixi" && content.size() >= 6) {
      header.bits = u8(content, 5);
    }
  }
  // Alpha is a picture of its own that says what it is for.
  for (const auto& [type, content] : properties)
    if (type == "auxC" && (content.find("alpha") != std::string_view::npos ||
                           content.find("auxid:1") != std::string_view::npos))
      header.alpha = true;
  return header;
}

Result<Header> read_jp2_header(std::string_view bytes) {
  Header header;
  if (bytes.starts_with("\xFF\x4F")) {  // SIZ: far corner less near corner
    if (!has(bytes, 0, 42)) return Error{"jp2: cut short in its header"};
    const std::uint32_t right = u32_big(bytes, 8), lower = u32_big(bytes, 12);
    const std::uint32_t left = u32_big(bytes, 16), upper = u32_big(bytes, 20);
    if (left >= right || upper >= lower) return Error{"jp2: holds no pixels"};
    header.width = right - left;
    header.height = lower - upper;
    const std::uint32_t components = u16_big(bytes, 40);
    header.alpha = components == 2 || components == 4;
    header.bits = has(bytes, 42, 1) ? (u8(bytes, 42) & 0x7F) + 1 : 8;
    return header;
  }
  const std::string_view jp2h = find_box(bytes, "jp2h");
  const std::string_view ihdr = find_box(jp2h, "ihdr");
  if (ihdr.size() < 14) return Error{"jp2: no image header"};
  header.height = u32_big(ihdr, 0);
  header.width = u32_big(ihdr, 4);
  header.bits = (u8(ihdr, 10) & 0x7F) + 1;
  header.alpha = !find_box(jp2h, "cdef").empty();
  return header;
}

Result<Header> read_jxl_header(std::string_view bytes) {
  std::string_view stream = bytes;
  if (!bytes.starts_with("\xFF\x0A")) {
    stream = find_box(bytes, "jxlc");
    if (stream.empty()) {  // in parts, each behind its number
      stream = find_box(bytes, "jxlp");
      stream.remove_prefix(std::min<std::size_t>(4, stream.size()));
    }
  }
  if (!stream.starts_with("\xFF\x0A")) return Error{"jxl: no codestream"};
  Bits bits(stream.substr(2));
  Header header;
  const bool small = bits.take(1) != 0;
  header.height = small ? (bits.take(5) + 1) * 8 : jxl_side(bits);
  const std::uint32_t ratio = bits.take(3);
  if (ratio == 0) {
    header.width = small ? (bits.take(5) + 1) * 8 : jxl_side(bits);
  } else {
    static constexpr std::uint64_t kRatios[][2] = {{1, 1}, {1, 1},  {12, 10}, {4, 3},
                                                   {3, 2}, {16, 9}, {5, 4},   {2, 1}};
    header.width = static_cast<std::uint32_t>(header.height * kRatios[ratio][0] / kRatios[ratio][1]);
  }
  if (bits.past_end()) return Error{"jxl: cut short in its header"};
  return header;
}

}  // namespace pixmilter::image
