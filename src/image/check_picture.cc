#include "image/check_picture.h"

#include <cstddef>

namespace pixmilter::image {

namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
constexpr std::uint32_t big16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}
constexpr std::uint32_t big32(std::string_view bytes, std::size_t at) {
  return big16(bytes, at) << 16 | big16(bytes, at + 2);
}
constexpr std::uint32_t little16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(byte_at(bytes, at) | byte_at(bytes, at + 1) << 8);
}

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n"sv;
constexpr std::size_t kPngChunkFrame = 12;  // length, type, CRC
constexpr std::size_t kPngHeaderSize = 13;

Result<PictureFacts> check_png(std::string_view bytes) {
  PictureFacts facts{Format::png};
  std::string_view rest = bytes.substr(kPngSignature.size());
  bool has_data = false;
  for (bool first = true;; first = false) {
    if (rest.size() < kPngChunkFrame) return Error{"PNG: it ends without IEND"};
    const std::size_t length = big32(rest, 0);
    const std::string_view type = rest.substr(4, 4);
    if (length > rest.size() - kPngChunkFrame) return Error{"PNG: a chunk is longer than the file"};
    const std::string_view data = rest.substr(8, length);
    rest.remove_prefix(kPngChunkFrame + length);
    if (first != (type == "IHDR"sv)) return Error{"PNG: IHDR is not the first chunk, or not the only one"};
    if (first) {
      if (length != kPngHeaderSize) return Error{"PNG: IHDR has the wrong size"};
      facts.width = big32(data, 0);
      facts.height = big32(data, 4);
      const unsigned depth = byte_at(data, 8);
      const unsigned colour = byte_at(data, 9);
      if (facts.width == 0 || facts.height == 0 || facts.width > 0x7FFFFFFF || facts.height > 0x7FFFFFFF)
        return Error{"PNG: a side of no or too many pixels"};
      if (depth == 0 || depth > 8 || colour == 1 || colour == 5 || colour > 6)
        return Error{"PNG: not 8 bit gray, RGB or palette"};
      if (byte_at(data, 10) != 0 || byte_at(data, 11) != 0 || byte_at(data, 12) > 1)
        return Error{"PNG: an unknown compression, filter or interlace method"};
    }
    has_data = has_data || type == "IDAT"sv;
    if (type != "IEND"sv) continue;
    if (!has_data) return Error{"PNG: no IDAT"};
    if (!rest.empty()) return Error{"PNG: bytes after IEND"};
    return facts;
  }
}

constexpr std::uint8_t kStartOfImage = 0xD8;
constexpr std::uint8_t kEndOfImage = 0xD9;
constexpr std::uint8_t kStartOfScan = 0xDA;
constexpr std::uint8_t kFirstRestart = 0xD0;
constexpr std::uint8_t kLastRestart = 0xD7;

// SOF0 to SOF2: baseline, extended sequential, progressive; the rest no mail client shows.
constexpr bool starts_frame(std::uint8_t marker) { return marker >= 0xC0 && marker <= 0xC2; }
// SOF3 to SOF15 without DHT (C4), JPG (C8) and DAC (CC).
constexpr bool starts_odd_frame(std::uint8_t marker) {
  return marker >= 0xC3 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

// Behind the entropy-coded data of a scan: at the 0xFF of the next marker that is no restart, or at the end.
std::size_t end_of_scan(std::string_view bytes, std::size_t from) {
  for (;;) {
    const std::size_t at = bytes.find('\xff', from);
    if (at == std::string_view::npos || at + 1 >= bytes.size()) return bytes.size();
    const std::uint8_t next = byte_at(bytes, at + 1);
    if (next != 0 && (next < kFirstRestart || next > kLastRestart)) return at;
    from = at + 2;
  }
}

Result<PictureFacts> check_jpeg(std::string_view bytes) {
  PictureFacts facts{Format::jpeg};
  bool has_scan = false;
  for (std::size_t at = 2;;) {
    if (at + 2 > bytes.size() || byte_at(bytes, at) != 0xFF) return Error{"JPEG: a marker is missing"};
    const std::uint8_t marker = byte_at(bytes, at + 1);
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    if (marker == kEndOfImage) {
      if (facts.width == 0 || !has_scan) return Error{"JPEG: no picture before its end"};
      if (at + 2 != bytes.size()) return Error{"JPEG: bytes after its end"};
      return facts;
    }
    if (marker == kStartOfImage || marker < 0xC0 || (marker >= kFirstRestart && marker <= kLastRestart))
      return Error{"JPEG: a marker at the wrong place"};
    if (at + 4 > bytes.size()) return Error{"JPEG: it ends within a segment"};
    const std::size_t length = big16(bytes, at + 2);
    if (length < 2 || length > bytes.size() - at - 2) return Error{"JPEG: a segment is longer than the file"};
    const std::string_view data = bytes.substr(at + 4, length - 2);
    at += 2 + length;
    if (starts_odd_frame(marker)) return Error{"JPEG: lossless, hierarchical or arithmetic coding"};
    if (starts_frame(marker)) {
      if (facts.width != 0) return Error{"JPEG: two frame headers"};
      if (data.size() < 6 || byte_at(data, 0) != 8) return Error{"JPEG: not 8 bit"};
      facts.height = big16(data, 1);
      facts.width = big16(data, 3);
      const unsigned components = byte_at(data, 5);
      if (facts.width == 0 || facts.height == 0) return Error{"JPEG: a side of no pixels"};
      if (components != 1 && components != 3) return Error{"JPEG: neither gray nor colour (CMYK?)"};
    }
    if (marker == kStartOfScan) {
      has_scan = true;
      at = end_of_scan(bytes, at);
    }
  }
}

// Behind a run of GIF sub-blocks, or npos.
std::size_t end_of_blocks(std::string_view bytes, std::size_t at) {
  while (at < bytes.size()) {
    const std::size_t length = byte_at(bytes, at);
    if (length == 0) return at + 1;
    at += 1 + length;
  }
  return std::string_view::npos;
}

constexpr std::size_t colour_table_bytes(std::uint8_t flags) {
  return (flags & 0x80) != 0 ? std::size_t{3} << ((flags & 7) + 1) : 0;
}

Result<PictureFacts> check_gif(std::string_view bytes) {
  PictureFacts facts{Format::gif};
  facts.frames = 0;
  if (bytes.size() < 13) return Error{"GIF: it ends within its header"};
  facts.width = little16(bytes, 6);
  facts.height = little16(bytes, 8);
  if (facts.width == 0 || facts.height == 0) return Error{"GIF: a side of no pixels"};
  std::size_t at = 13 + colour_table_bytes(byte_at(bytes, 10));
  while (at < bytes.size()) {
    const char kind = bytes[at];
    if (kind == ';') {
      if (facts.frames == 0) return Error{"GIF: no image before its end"};
      if (at + 1 != bytes.size()) return Error{"GIF: bytes after its end"};
      return facts;
    }
    if (kind == '!') {
      at = end_of_blocks(bytes, at + 2);
    } else if (kind == ',' && bytes.size() - at > 10) {
      ++facts.frames;
      at = end_of_blocks(bytes, at + 11 + colour_table_bytes(byte_at(bytes, at + 9)));
    } else {
      return Error{"GIF: an unknown block"};
    }
  }
  return Error{"GIF: it ends without a trailer"};
}

}  // namespace

Result<PictureFacts> check_picture(std::string_view bytes) {
  if (bytes.starts_with(kPngSignature)) return check_png(bytes);
  if (bytes.starts_with("\xff\xd8\xff"sv)) return check_jpeg(bytes);
  if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) return check_gif(bytes);
  return Error{"neither PNG nor JPEG nor GIF"};
}

}  // namespace pixmilter::image
