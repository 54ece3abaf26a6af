// The picture formats that pixmilter tells apart, and how it recognises them.
//
// The type of a picture is what its bytes say; labels (Content-Type, data: media type, file name) are hints.
#pragma once

#include <cstdint>
#include <string_view>

namespace pixmilter::image {

enum class Format : std::uint8_t {
  unknown,
  png,
  jpeg,
  gif,
  webp,
  tiff,
  heif,  // HEIC and other HEVC-coded HEIF
  avif,
  svg,
  bmp,
  pnm,  // PBM PGM PPM, ASCII and binary
  pfm,
  pam,
  npy,  // numpy's .npy
  raw,  // bare pixels whose geometry comes from Content-Type parameters: nothing to sniff
  jxl,
  jp2,
};

// Recognises a format by its first bytes (for SVG: by its first element). Never reads past the view,
// allocates nothing. unknown where nothing fits.
Format sniff(std::string_view bytes);

// What bytes are that no picture begins with, for people: "a page of HTML", "a PDF"; empty: no idea.
std::string_view other_kind(std::string_view bytes);

// "png", "jpeg", ...: the word used in the configuration and the log.
std::string_view name(Format format);
// "image/png", ...: the registered media type, or the de-facto one.
std::string_view media_type(Format format);
// "png", "jpg", ...: the usual file name extension, without the dot.
std::string_view extension(Format format);
// PNG, JPEG and GIF: what every mail client shows.
bool shown_everywhere(Format format);

}  // namespace pixmilter::image
