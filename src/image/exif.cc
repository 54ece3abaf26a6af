#include "image/exif.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "image/bytes.h"

namespace pixmilter::image {
namespace {

constexpr std::uint32_t kEntryBytes = 12;
constexpr int kMaxDirectories = 32;

enum Tag : std::uint32_t {
  kXmp = 0x02BC,
  kStripOffsets = 0x0111,
  kOrientation = 0x0112,
  kStripByteCounts = 0x0117,
  kSubDirectories = 0x014A,
  kThumbnailOffset = 0x0201,
  kThumbnailLength = 0x0202,
  kIptc = 0x83BB,
  kPhotoshop = 0x8649,
  kExif = 0x8769,
  kGps = 0x8825,
  kInteroperability = 0xA005,
};

std::uint32_t type_bytes(std::uint32_t type) {
  switch (type) {
    case 1:
    case 2:
    case 6:
    case 7:
      return 1;
    case 3:
    case 8:
      return 2;
    case 4:
    case 9:
    case 11:
    case 13:
      return 4;
    case 5:
    case 10:
    case 12:
      return 8;
    default:
      return 0;
  }
}

class Exif {
 public:
  explicit Exif(std::string& bytes) : bytes_(bytes), big_endian_(bytes.starts_with("MM")) {}

  Result<ExifFacts> clean() {
    if (!has(bytes_, 0, 8) || (!bytes_.starts_with(std::string_view("II*\0", 4)) &&
                               !bytes_.starts_with(std::string_view("MM\0*", 4))))
      return Error{"exif: no byte order"};
    const std::uint64_t first = u32(4);
    if (!visit(first)) return Error{"exif: a directory leaves its block"};
    // What follows the first directory is the thumbnail's, and what follows that is unheard of.
    const std::uint64_t link = next_link(first);
    if (u32(link) != 0) {
      facts_.thumbnail = true;
      erase_chain(u32(link));
      put_u32(link, 0);
    }
    wipe();
    return facts_;
  }

 private:
  std::uint32_t u16(std::uint64_t at) const {
    const auto place = static_cast<std::size_t>(at);
    return big_endian_ ? u16_big(bytes_, place) : u16_little(bytes_, place);
  }
  std::uint32_t u32(std::uint64_t at) const {
    const auto place = static_cast<std::size_t>(at);
    return big_endian_ ? u32_big(bytes_, place) : u32_little(bytes_, place);
  }
  void put_u16(std::uint64_t at, std::uint32_t value) {
    for (int i = 0; i < 2; ++i)
      bytes_[static_cast<std::size_t>(at) + i] = static_cast<char>(value >> 8 * (big_endian_ ? 1 - i : i));
  }
  void put_u32(std::uint64_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i)
      bytes_[static_cast<std::size_t>(at) + i] = static_cast<char>(value >> 8 * (big_endian_ ? 3 - i : i));
  }

  bool is_directory(std::uint64_t at) const {
    return at >= 8 && has(bytes_, at, 2) && has(bytes_, at, 2 + std::uint64_t{u16(at)} * kEntryBytes + 4);
  }
  std::uint64_t entry_at(std::uint64_t directory, std::uint32_t index) const {
    return directory + 2 + std::uint64_t{index} * kEntryBytes;
  }
  std::uint64_t next_link(std::uint64_t directory) const { return entry_at(directory, u16(directory)); }

  // Takes unwanted entries out of a directory and those beneath it.
  bool visit(std::uint64_t directory) {
    if (!is_directory(directory)) return false;
    if (!visited_.insert(directory).second || visited_.size() > kMaxDirectories) return true;
    for (std::uint32_t i = 0; i < u16(directory);) {
      const std::uint64_t entry = entry_at(directory, i);
      const std::uint32_t tag = u16(entry);
      if (tag == kOrientation) {
        const std::uint32_t value = u16(entry + 8);
        if (value >= 1 && value <= 8) facts_.orientation = value;
      } else if (tag == kExif || tag == kInteroperability) {
        if (!visit(u32(entry + 8))) return false;
      } else if (tag == kGps || tag == kXmp || tag == kIptc || tag == kPhotoshop) {
        (tag == kGps ? facts_.location : facts_.thumbnail) = true;
        if (tag == kGps) erase_chain(u32(entry + 8));
        erase_value(entry);
        remove_entry(directory, i);
        continue;
      } else if (tag == kSubDirectories) {
        facts_.thumbnail = true;
        erase_value(entry);
        remove_entry(directory, i);
        continue;
      }
      ++i;
    }
    return true;
  }

  // Later entries and the link behind them move up; twelve zeros are left behind.
  void remove_entry(std::uint64_t directory, std::uint32_t index) {
    const std::uint64_t entry = entry_at(directory, index);
    const std::uint64_t end = next_link(directory) + 4;
    std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(entry + kEntryBytes),
              bytes_.begin() + static_cast<std::ptrdiff_t>(end),
              bytes_.begin() + static_cast<std::ptrdiff_t>(entry));
    put_u16(directory, u16(directory) - 1);
    mark(end - kEntryBytes, kEntryBytes);
  }

  // The bytes of an entry's value, where they stand outside it.
  void erase_value(std::uint64_t entry) {
    const std::uint64_t size = std::uint64_t{type_bytes(u16(entry + 2))} * u32(entry + 4);
    if (size > 4) mark(u32(entry + 8), size);
  }

  // Directories one after the other, with all they point to.
  void erase_chain(std::uint64_t directory) {
    while (directory != 0 && is_directory(directory) && visited_.insert(directory).second &&
           visited_.size() <= kMaxDirectories) {
      std::uint64_t begin = 0;
      std::uint64_t size = 0;
      for (std::uint32_t i = 0; i < u16(directory); ++i) {
        const std::uint64_t entry = entry_at(directory, i);
        const std::uint32_t tag = u16(entry);
        const std::uint64_t value = u16(entry + 2) == 3 ? u16(entry + 8) : u32(entry + 8);
        erase_value(entry);
        if (tag == kThumbnailOffset || (tag == kStripOffsets && u32(entry + 4) == 1)) begin = value;
        if (tag == kThumbnailLength || (tag == kStripByteCounts && u32(entry + 4) == 1)) size = value;
      }
      if (begin != 0) mark(begin, size);
      const std::uint64_t next = u32(next_link(directory));
      mark(directory, 2 + std::uint64_t{u16(directory)} * kEntryBytes + 4);
      directory = next;
    }
  }

  void mark(std::uint64_t at, std::uint64_t size) {
    if (at < 8 || at >= bytes_.size()) return;
    marked_.emplace_back(at, std::min<std::uint64_t>(at + size, bytes_.size()));
  }
  // Overwrites what was marked, then cuts it off as far as it stands at the end.
  void wipe() {
    std::sort(marked_.begin(), marked_.end(),
              [](const auto& a, const auto& b) { return a.second > b.second; });
    for (const auto& [begin, end] : marked_)
      std::fill(bytes_.begin() + static_cast<std::ptrdiff_t>(begin),
                bytes_.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    for (const auto& [begin, end] : marked_)
      if (end >= bytes_.size() && begin < bytes_.size()) bytes_.resize(static_cast<std::size_t>(begin));
  }

  std::string& bytes_;
  bool big_endian_;
  ExifFacts facts_;
  std::set<std::uint64_t> visited_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> marked_;
};

}  // namespace

Result<ExifFacts> clean_exif(std::string& exif) {
  std::string edited = exif;
  const Result<ExifFacts> facts = Exif(edited).clean();
  if (facts && (facts->location || facts->thumbnail)) exif = std::move(edited);
  return facts;
}

std::string orientation_exif(std::uint32_t orientation) {
  using namespace std::string_literals;
  // Big-endian; one directory at 8 with one entry: tag 0x0112, SHORT, count 1.
  std::string out = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s;
  out += static_cast<char>(orientation);
  return out + "\0\0\0\0\0\0"s;
}

}  // namespace pixmilter::image
