// ImageJob and ImageResult: one picture to be rendered, and what became of it.
//
// Plain values that cross the process boundary (src/worker/wire.h writes and reads them). The core makes
// jobs from what it finds in a message; only the render program touches pixels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "image/format.h"

namespace pixmilter::image {

// Bounds that are checked before pixels are allocated. Each is a configuration key of [render].
struct Limits {
  std::uint64_t max_pixels = 64'000'000;  // width * height of one frame
  std::uint32_t max_frames = 64;
  std::uint32_t max_side = 30'000;             // pixels, width or height
  std::uint64_t max_output_bytes = 100 << 20;  // one encoded picture
};

// How one sample of a raw pixel buffer is stored; the names are libvips' (boolean is numpy's bool).
enum class BandFormat : std::uint8_t {
  uchar,
  char_,
  ushort,
  short_,
  uint,
  int_,
  float_,
  double_,
  boolean,
  half,
  uint64,
  int64,
};
// Bytes of one sample.
std::uint32_t sample_bytes(BandFormat format);

// The geometry of bare pixels, from Content-Type parameters or a .npy header, checked for consistency
// with the byte count by whoever made it. offset is where pixels begin in the bytes.
struct RawLayout {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t bands = 1;   // 1 gray, 2 gray+alpha, 3 RGB, 4 RGBA
  std::uint32_t frames = 1;  // more than one: an animation
  BandFormat format = BandFormat::uchar;
  bool big_endian = false;
  bool planar = false;         // band after band instead of pixel after pixel
  bool fortran_order = false;  // first index varies fastest (numpy's fortran_order)
  std::uint64_t offset = 0;    // bytes before the first sample
  // Bytes of all samples together; the caller has checked that it does not overflow.
  std::uint64_t pixel_bytes() const {
    return std::uint64_t{width} * height * bands * frames * sample_bytes(format);
  }
};

enum class Colormap : std::uint8_t { automatic, gray, viridis, magma, inferno, plasma, cividis, turbo };

// Which sample values become black and white (or the ends of the colour map).
struct Range {
  enum class Kind : std::uint8_t { by_type, automatic, full, fixed, percentile } kind = Kind::by_type;
  double low = 0;   // fixed: a value; percentile: 0 to 100
  double high = 0;  // likewise
};

enum class OutputFormat : std::uint8_t { automatic, png, jpeg, gif };
enum class Resize : std::uint8_t { none, fit, fill, force };

// What the picture shall become. The defaults are those of DESIGN.md section 5.
struct RenderSettings {
  OutputFormat format = OutputFormat::automatic;
  std::uint8_t quality = 82;   // JPEG, 1 to 100
  bool lossy_allowed = false;  // automatic may choose JPEG for photographs of a source without loss, too
  Resize resize = Resize::none;
  std::uint32_t width = 0;   // pixels, 0: not given
  std::uint32_t height = 0;  // pixels, 0: not given
  bool enlarge = false;
  std::uint64_t max_bytes = 0;  // 0: no bound; else quality, then size are lowered until it fits
  std::uint32_t min_side = 0;   // never shrunk below this many pixels for max_bytes
  Colormap colormap = Colormap::automatic;
  Range range;
  double fps = 10;         // animations made of raw frames
  double svg_scale = 1;    // SVG is drawn at this many pixels per CSS px
  std::uint32_t page = 0;  // TIFF and other multi-page formats: the page wanted
};

struct ImageJob {
  // The picture as it came. Borrowed: it outlives the call that the job is passed to.
  std::string_view bytes;
  int memfd = -1;  // that holds just these, sealed (base/memfd.h); borrowed likewise. -1: none does
  // What the bytes are; for raw and npy, layout says how they lie.
  Format format = Format::unknown;
  RawLayout layout;
  RenderSettings settings;
  Limits limits;
  bool hurried = false;  // the fastest encoding rather than the smallest: time is short
};

// What a worker makes of a job is data; policy decides what it means for the message.
enum class Status : std::uint8_t {
  ok,
  refused,   // the picture cannot be read, or its format is not served
  limit,     // a bound of Limits, or memory
  timeout,   // not ready in time; its worker was killed
  crashed,   // the worker died on it, or none could be had
  violated,  // the worker broke the protocol or returned something else than it said
};
std::string_view name(Status status);

struct ImageResult {
  Status status = Status::crashed;
  std::string reason;  // one line for the log when not ok
  std::string bytes;   // the encoded picture when ok
  Format format = Format::unknown;
  std::uint32_t width = 0;   // pixels
  std::uint32_t height = 0;  // pixels, of one frame
  std::uint32_t frames = 1;
  bool hurried = false;  // encoded the fastest way: with more time it would have been smaller
};

}  // namespace pixmilter::image
