// TIFF 6.0 and BigTIFF: the first directory's size, and how many directories there are.
#include <algorithm>

#include "image/bytes.h"
#include "image/header_readers.h"

namespace pixmilter::image {
namespace {

constexpr std::uint32_t kMaxPages = 100'000;  // a chain that is longer is a loop

enum Tag : std::uint32_t {
  kImageWidth = 256,
  kImageLength = 257,
  kBitsPerSample = 258,
  kPhotometric = 262,
  kExtraSamples = 338,
};

class TiffReader {
 public:
  explicit TiffReader(std::string_view bytes)
      : bytes_(bytes), big_endian_(bytes[0] == 'M'), big_tiff_(bytes[2] == '+' || bytes[3] == '+') {}

  Result<Header> read() {
    std::uint64_t directory = 0;
    if (!offset(big_tiff_ ? 8 : 4, directory)) return cut_short();
    Header header;
    header.frames = 0;
    while (directory != 0 && header.frames < kMaxPages) {
      std::uint64_t entries = 0;
      const std::uint64_t count_size = big_tiff_ ? 8 : 2;
      if (!has(bytes_, directory, count_size)) break;
      entries = big_tiff_ ? u64(directory) : u16(directory);
      const std::uint64_t entry_size = big_tiff_ ? 20 : 12;
      if (entries > bytes_.size() / entry_size || !has(bytes_, directory + count_size, entries * entry_size))
        break;
      if (header.frames == 0)
        for (std::uint64_t i = 0; i < entries; ++i)
          read_entry(directory + count_size + i * entry_size, header);
      ++header.frames;
      if (!offset(directory + count_size + entries * entry_size, directory)) break;
    }
    if (header.frames == 0) return cut_short();
    return header;
  }

 private:
  static Error cut_short() { return Error{"tiff: cut short in its header"}; }
  std::uint32_t u16(std::uint64_t at) const {
    const auto place = static_cast<std::size_t>(at);
    return big_endian_ ? u16_big(bytes_, place) : u16_little(bytes_, place);
  }
  std::uint32_t u32(std::uint64_t at) const {
    const auto place = static_cast<std::size_t>(at);
    return big_endian_ ? u32_big(bytes_, place) : u32_little(bytes_, place);
  }
  std::uint64_t u64(std::uint64_t at) const {
    const auto place = static_cast<std::size_t>(at);
    return big_endian_ ? u64_big(bytes_, place) : u64_little(bytes_, place);
  }
  bool offset(std::uint64_t at, std::uint64_t& out) const {
    if (!has(bytes_, at, big_tiff_ ? 8 : 4)) return false;
    out = big_tiff_ ? u64(at) : u32(at);
    return true;
  }
  // The first value of an entry, which stands in the entry itself or, where the values are many, elsewhere.
  std::uint64_t first_value(std::uint64_t entry) const {
    const std::uint32_t type = u16(entry + 2);
    const std::uint64_t size = type == 3 ? 2 : type == 4 ? 4 : type == 16 ? 8 : 0;
    if (size == 0) return 0;
    const std::uint64_t count = big_tiff_ ? u64(entry + 4) : u32(entry + 4);
    const std::uint64_t room = big_tiff_ ? 8 : 4;
    std::uint64_t at = entry + (big_tiff_ ? 12 : 8);
    if (count > room / size && !offset(at, at)) return 0;
    if (!has(bytes_, at, size)) return 0;
    return size == 2 ? u16(at) : size == 4 ? u32(at) : u64(at);
  }
  void read_entry(std::uint64_t entry, Header& header) const {
    const std::uint64_t value = first_value(entry);
    const auto clipped = static_cast<std::uint32_t>(std::min<std::uint64_t>(value, UINT32_MAX));
    switch (u16(entry)) {
      case kImageWidth:
        header.width = clipped;
        break;
      case kImageLength:
        header.height = clipped;
        break;
      case kBitsPerSample:
        header.bits = clipped;
        break;
      case kPhotometric:
        header.cmyk = value == 5;
        break;
      case kExtraSamples:
        header.alpha = value == 1 || value == 2;
        break;
      default:
        break;
    }
  }

  std::string_view bytes_;
  bool big_endian_;
  bool big_tiff_;
};

}  // namespace

Result<Header> read_tiff_header(std::string_view bytes) { return TiffReader(bytes).read(); }

}  // namespace pixmilter::image
