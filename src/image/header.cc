#include "image/header.h"

#include <algorithm>
#include <string>

#include "image/bmp.h"
#include "image/bytes.h"
#include "image/exif.h"
#include "image/header_readers.h"
#include "image/netpbm.h"
#include "image/npy.h"

namespace pixmilter::image {
namespace {

Error cut_short(std::string_view format) { return Error{std::string(format) + ": cut short in its header"}; }

Result<Header> of_bmp(std::string_view bytes) {
  const Result<Bmp> bmp = read_bmp(bytes);
  if (!bmp) return bmp.error();
  Header header;
  header.width = bmp->width;
  header.height = bmp->height;
  header.bits = bmp->bits < 8 ? bmp->bits : 8;
  header.alpha = bmp->masks[3] != 0;
  return header;
}

Result<Header> of_netpbm(std::string_view bytes) {
  const Result<Netpbm> netpbm = read_netpbm(bytes);
  if (!netpbm) return netpbm.error();
  Header header;
  header.width = netpbm->layout.width;
  header.height = netpbm->layout.height;
  header.bits = sample_bytes(netpbm->layout.format) * 8;
  header.alpha = netpbm->layout.bands == 2 || netpbm->layout.bands == 4;
  return header;
}

Result<Header> of_npy(std::string_view bytes) {
  const Result<RawLayout> layout = read_npy(bytes);
  if (!layout) return layout.error();
  Header header;
  header.width = layout->width;
  header.height = layout->height;
  header.frames = layout->frames;
  header.bits = sample_bytes(layout->format) * 8;
  header.alpha = layout->bands == 2 || layout->bands == 4;
  return header;
}

}  // namespace

Result<Header> read_png_header(std::string_view bytes) {
  if (!has(bytes, 8, 25) || bytes.substr(12, 4) != "IHDR") return cut_short("png");
  Header header;
  header.width = u32_big(bytes, 16);
  header.height = u32_big(bytes, 20);
  header.bits = u8(bytes, 24);
  header.alpha = (u8(bytes, 25) & 4) != 0;
  // What else is of interest stands before the pixels: acTL (frames of an APNG) and tRNS.
  for (std::size_t at = 33; has(bytes, at, 12);) {
    const std::string_view type = bytes.substr(at + 4, 4);
    if (type == "IDAT" || type == "IEND") break;
    const std::uint64_t length = u32_big(bytes, at);
    if (type == "tRNS") header.alpha = true;
    if (type == "acTL" && length >= 4 && has(bytes, at + 8, 4))
      header.frames = std::max(1u, u32_big(bytes, at + 8));
    if (!has(bytes, at, length + 12)) break;
    at += static_cast<std::size_t>(length) + 12;
  }
  return header;
}

// What Exif says of it, where a segment is that (JEITA CP-3451); 1 else.
std::uint32_t orientation_of(std::string_view segment) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  if (!segment.starts_with(kExif)) return 1;
  std::string exif(segment.substr(kExif.size()));
  const Result<ExifFacts> facts = clean_exif(exif);
  return facts ? facts->orientation : 1;
}

Result<Header> read_jpeg_header(std::string_view bytes) {
  std::uint32_t orientation = 1;
  for (std::size_t at = 2; has(bytes, at, 2);) {
    if (u8(bytes, at) != 0xFF) return Error{"jpeg: a marker is missing"};
    const std::uint32_t marker = u8(bytes, at + 1);
    if (marker == 0xFF) {  // fill
      ++at;
      continue;
    }
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // stands alone
      at += 2;
      continue;
    }
    if (marker == 0xD9 || marker == 0xDA) return Error{"jpeg: no frame header"};
    if (!has(bytes, at, 4)) break;
    const std::uint32_t length = u16_big(bytes, at + 2);
    if (length < 2) return Error{"jpeg: a segment without length"};
    // SOF0 to SOF15 but DHT, JPG and DAC.
    if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
      if (length < 8 || !has(bytes, at, 10)) break;
      Header header;
      header.bits = u8(bytes, at + 4);
      header.height = u16_big(bytes, at + 5);
      header.width = u16_big(bytes, at + 7);
      header.cmyk = u8(bytes, at + 9) == 4;
      header.on_its_side = orientation > 4;
      return header;
    }
    if (marker == 0xE1 && has(bytes, at + 2, length))
      orientation = std::max(orientation, orientation_of(bytes.substr(at + 4, length - 2)));
    at += 2 + length;
  }
  return cut_short("jpeg");
}

Result<Header> read_gif_header(std::string_view bytes) {
  if (!has(bytes, 0, 13)) return cut_short("gif");
  Header header;
  header.width = u16_little(bytes, 6);
  header.height = u16_little(bytes, 8);
  header.frames = 0;
  const auto table = [&](std::uint32_t flags) { return flags & 0x80 ? 3u << ((flags & 7) + 1) : 0u; };
  std::size_t at = 13 + table(u8(bytes, 10));
  const auto skip_blocks = [&] {
    while (at < bytes.size() && bytes[at] != '\0') at += 1 + u8(bytes, at);
    ++at;
  };
  // The end mark may be missing, but no block may be cut short.
  while (at != bytes.size() && (at > bytes.size() || bytes[at] != ';')) {
    if (at > bytes.size()) return cut_short("gif");
    if (bytes[at] == '!') {
      // Graphic control: bit 0 of its flags is transparency.
      if (has(bytes, at, 4) && u8(bytes, at + 1) == 0xF9 && (u8(bytes, at + 3) & 1)) header.alpha = true;
      at += 2;
      skip_blocks();
    } else if (bytes[at] == ',') {
      if (!has(bytes, at, 10)) return cut_short("gif");
      ++header.frames;
      at += 10 + table(u8(bytes, at + 9)) + 1;
      skip_blocks();
    } else {
      return Error{"gif: a block of no known kind"};
    }
  }
  if (header.frames == 0) return Error{"gif: no picture"};
  return header;
}

Result<Header> read_webp_header(std::string_view bytes) {
  Header header;
  if (!has(bytes, 12, 8)) return cut_short("webp");
  const std::string_view kind = bytes.substr(12, 4);
  if (kind == "VP8 ") {  // RFC 6386 section 9.1: frame tag, start code, 14 bits each
    if (!has(bytes, 20, 10)) return cut_short("webp");
    if (bytes.substr(23, 3) != "\x9D\x01\x2A") return Error{"webp: no key frame"};
    header.width = u16_little(bytes, 26) & 0x3FFF;
    header.height = u16_little(bytes, 28) & 0x3FFF;
  } else if (kind == "VP8L") {  // signature, 14 bits each less one, alpha hint
    if (!has(bytes, 20, 5)) return cut_short("webp");
    if (u8(bytes, 20) != 0x2F) return Error{"webp: no lossless signature"};
    const std::uint32_t packed = u32_little(bytes, 21);
    header.width = (packed & 0x3FFF) + 1;
    header.height = (packed >> 14 & 0x3FFF) + 1;
    header.alpha = (packed >> 28 & 1) != 0;
  } else if (kind == "VP8X") {  // flags, canvas in 24 bits each less one
    if (!has(bytes, 20, 10)) return cut_short("webp");
    const std::uint32_t flags = u8(bytes, 20);
    header.alpha = (flags & 0x10) != 0;
    header.width = u24_little(bytes, 24) + 1;
    header.height = u24_little(bytes, 27) + 1;
    if (flags & 0x02) {
      header.frames = 0;
      for (std::size_t at = 30; has(bytes, at, 8);) {
        header.frames += bytes.substr(at, 4) == "ANMF";
        const std::uint64_t length = u32_little(bytes, at + 4);
        if (!has(bytes, at + 8, length)) break;
        at += static_cast<std::size_t>(8 + length + length % 2);
      }
    }
  } else {
    return Error{"webp: begins with no picture"};
  }
  return header;
}

bool is_lossy(Format format, std::string_view bytes) {
  switch (format) {
    case Format::jpeg:
    case Format::heif:
    case Format::avif:
      return true;
    case Format::webp:
      // Alone, or behind the header of the extended form: its chunks are looked through, not into.
      for (std::size_t at = 12; has(bytes, at, 8);) {
        if (bytes.substr(at, 4) == "VP8 ") return true;
        const std::uint64_t length = u32_little(bytes, at + 4);
        if (!has(bytes, at + 8, length)) break;
        at += static_cast<std::size_t>(8 + length + length % 2);
      }
      return false;
    default:
      return false;
  }
}

Result<Header> read_header(std::string_view bytes) {
  const Format format = sniff(bytes);
  Result<Header> header = Error{"no known picture format"};
  switch (format) {
    case Format::png:
      header = read_png_header(bytes);
      break;
    case Format::jpeg:
      header = read_jpeg_header(bytes);
      break;
    case Format::gif:
      header = read_gif_header(bytes);
      break;
    case Format::webp:
      header = read_webp_header(bytes);
      break;
    case Format::tiff:
      header = read_tiff_header(bytes);
      break;
    case Format::heif:
    case Format::avif:
      header = read_heif_header(bytes);
      break;
    case Format::svg:
      header = read_svg_header(bytes);
      break;
    case Format::bmp:
      header = of_bmp(bytes);
      break;
    case Format::pnm:
    case Format::pfm:
    case Format::pam:
      header = of_netpbm(bytes);
      break;
    case Format::npy:
      header = of_npy(bytes);
      break;
    case Format::jxl:
      header = read_jxl_header(bytes);
      break;
    case Format::jp2:
      header = read_jp2_header(bytes);
      break;
    case Format::raw:
    case Format::unknown:
      break;
  }
  if (!header) return header;
  header->format = format;
  if (header->width == 0 || header->height == 0 || header->frames == 0)
    return Error{std::string(name(format)) + ": holds no pixels"};
  return header;
}

}  // namespace pixmilter::image
