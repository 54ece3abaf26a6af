#include "image/bmp.h"

#include <bit>
#include <string>

#include "image/bytes.h"

namespace pixmilter::image {
namespace {

constexpr std::size_t kFileHeader = 14;
constexpr std::uint32_t kCoreHeader = 12;
constexpr std::uint32_t kInfoHeader = 40;
constexpr std::uint32_t kOs2Header = 64;

// BITMAPINFOHEADER's biCompression.
constexpr std::uint32_t kRgb = 0, kRle8 = 1, kRle4 = 2, kBitfields = 3, kAlphaBitfields = 6;

// Version 5, from the start of its header: bV5CSType, bV5ProfileData, bV5ProfileSize.
constexpr std::uint32_t kVersion5Header = 124;
constexpr std::size_t kColourSpace = 56, kProfileData = 112, kProfileSize = 116;
constexpr std::uint32_t kProfileEmbedded = 0x4D424544;  // 'MBED'

Error bad(std::string why) { return Error{"bmp: " + std::move(why)}; }

bool one_run(std::uint32_t mask) {
  if (mask == 0) return true;
  mask >>= std::countr_zero(mask);
  return (mask & (mask + 1)) == 0;
}

pixmilter::Status read_core(std::string_view bytes, Bmp& bmp, std::uint32_t& planes) {
  bmp.width = u16_little(bytes, kFileHeader + 4);
  bmp.height = u16_little(bytes, kFileHeader + 6);
  planes = u16_little(bytes, kFileHeader + 8);
  bmp.bits = u16_little(bytes, kFileHeader + 10);
  bmp.palette_entry_bytes = 3;
  bmp.palette_offset = kFileHeader + kCoreHeader;
  if (bmp.bits <= 8) bmp.palette_colours = 1u << bmp.bits;
  return Done{};
}

// Masks stand in the header from its version 2 on; before, they follow it.
pixmilter::Status read_masks(std::string_view bytes, std::uint32_t header, std::uint32_t compression,
                             Bmp& bmp) {
  if (compression == kRgb) {
    if (bmp.bits == 16) bmp.masks = {0x7C00, 0x03E0, 0x001F, 0};
    if (bmp.bits == 32) bmp.masks = {0x00FF0000, 0x0000FF00, 0x000000FF, 0};
    return Done{};
  }
  if (bmp.bits != 16 && bmp.bits != 32)
    return bad("bit fields in pixels of " + std::to_string(bmp.bits) + " bits");
  const bool with_alpha = header >= 56 || compression == kAlphaBitfields;
  const std::size_t count = with_alpha ? 4 : 3;
  if (!has(bytes, kFileHeader + kInfoHeader, count * 4)) return bad("cut short in its masks");
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t mask = u32_little(bytes, kFileHeader + kInfoHeader + i * 4);
    if (!one_run(mask) || (mask & seen) || (bmp.bits == 16 && mask > 0xFFFF))
      return bad("bit fields that cannot be");
    seen |= mask;
    bmp.masks[i] = mask;
  }
  if (header == kInfoHeader) bmp.palette_offset += count * 4;
  return Done{};
}

pixmilter::Status read_info(std::string_view bytes, std::uint32_t header, Bmp& bmp, std::uint32_t& planes) {
  const auto width = static_cast<std::int32_t>(u32_little(bytes, kFileHeader + 4));
  const auto height = static_cast<std::int32_t>(u32_little(bytes, kFileHeader + 8));
  if (width <= 0 || height == 0 || height == INT32_MIN) return bad("holds no pixels");
  bmp.width = static_cast<std::uint32_t>(width);
  bmp.height = static_cast<std::uint32_t>(height < 0 ? -height : height);
  bmp.top_down = height < 0;
  planes = u16_little(bytes, kFileHeader + 12);
  bmp.bits = u16_little(bytes, kFileHeader + 14);
  // OS/2's shorter header may end here, all else being zero.
  const std::uint32_t compression = header >= 20 ? u32_little(bytes, kFileHeader + 16) : kRgb;
  const std::uint32_t colours = header >= 36 ? u32_little(bytes, kFileHeader + 32) : 0;
  bmp.palette_offset = kFileHeader + header;
  if (compression == kRle8 || compression == kRle4) {
    if (bmp.bits != (compression == kRle8 ? 8u : 4u)) return bad("run lengths in pixels of another size");
    if (bmp.top_down) return bad("run lengths from the top down");
    bmp.coding = compression == kRle8 ? Bmp::Coding::rle8 : Bmp::Coding::rle4;
  } else if (compression != kRgb &&
             (header == kOs2Header || (compression != kBitfields && compression != kAlphaBitfields))) {
    return bad("compression " + std::to_string(compression) + " is not served");
  } else if (auto status = read_masks(bytes, header, compression, bmp); !status) {
    return status;
  }
  if (bmp.bits <= 8) {
    if (colours > 1u << bmp.bits) return bad("a palette of " + std::to_string(colours) + " colours");
    bmp.palette_colours = colours ? colours : 1u << bmp.bits;
  }
  return Done{};
}

void read_profile(std::string_view bytes, Bmp& bmp) {
  if (u32_little(bytes, kFileHeader + kColourSpace) != kProfileEmbedded) return;
  const std::uint64_t offset = kFileHeader + std::uint64_t{u32_little(bytes, kFileHeader + kProfileData)};
  const std::uint32_t size = u32_little(bytes, kFileHeader + kProfileSize);
  if (offset < kFileHeader + kVersion5Header || offset > bytes.size() || !has(bytes, offset, size)) return;
  bmp.profile_offset = offset;
  bmp.profile_bytes = size;
}

}  // namespace

Result<Bmp> read_bmp(std::string_view bytes) {
  if (!has(bytes, 0, kFileHeader + kCoreHeader) || !bytes.starts_with("BM")) return bad("no header");
  Bmp bmp;
  bmp.pixels_offset = u32_little(bytes, 10);
  const std::uint32_t header = u32_little(bytes, kFileHeader);
  if (!has(bytes, kFileHeader, header)) return bad("cut short in its header");
  std::uint32_t planes = 0;
  pixmilter::Status status = bad("a header of " + std::to_string(header) + " bytes is not known");
  if (header == kCoreHeader)
    status = read_core(bytes, bmp, planes);
  else if (header == 16 || header == kInfoHeader || header == 52 || header == 56 || header == kOs2Header ||
           header == 108 || header == 124)
    status = read_info(bytes, header, bmp, planes);
  if (!status) return status.error();
  if (header == kVersion5Header) read_profile(bytes, bmp);

  if (planes != 1) return bad(std::to_string(planes) + " planes");
  if (bmp.width == 0 || bmp.height == 0) return bad("holds no pixels");
  switch (bmp.bits) {
    case 1:
    case 2:
    case 4:
    case 8:
    case 16:
    case 24:
    case 32:
      break;
    default:
      return bad("pixels of " + std::to_string(bmp.bits) + " bits");
  }
  const std::uint64_t palette_bytes = std::uint64_t{bmp.palette_colours} * bmp.palette_entry_bytes;
  // A writer that leaves unused colours out puts the pixels right behind those it wrote.
  if (bmp.palette_colours && bmp.pixels_offset > bmp.palette_offset &&
      bmp.pixels_offset < bmp.palette_offset + palette_bytes)
    bmp.palette_colours =
        static_cast<std::uint32_t>((bmp.pixels_offset - bmp.palette_offset) / bmp.palette_entry_bytes);
  if (!has(bytes, bmp.palette_offset, std::uint64_t{bmp.palette_colours} * bmp.palette_entry_bytes))
    return bad("cut short in its palette");
  if (bmp.pixels_offset < kFileHeader + header || bmp.pixels_offset > bytes.size())
    return bad("pixels outside the file");
  if (bmp.coding == Bmp::Coding::plain) {
    __extension__ typedef unsigned __int128 Wide;
    // The padding of the last row may be missing.
    const Wide needed =
        Wide{bmp.row_bytes()} * (bmp.height - 1) + (std::uint64_t{bmp.width} * bmp.bits + 7) / 8;
    if (needed > bytes.size() - bmp.pixels_offset)
      return bad("too short: " + std::to_string(bmp.width) + "x" + std::to_string(bmp.height) +
                 " pixels take more than the " + std::to_string(bytes.size() - bmp.pixels_offset) +
                 " bytes there are");
  }
  return bmp;
}

}  // namespace pixmilter::image
