// The door to libvips' images: an owner for VipsImage and the few operations that everybody here needs.
//
// libvips' own C++ classes throw and do not see reference errors at compile time; a unique_ptr does.
#pragma once

#include <vips/vips.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "render/attempt.h"

namespace pixmilter::render {

struct Unref {
  void operator()(VipsImage* image) const { g_object_unref(image); }
};
using Image = std::unique_ptr<VipsImage, Unref>;

// A picture on its way from reading to encoding. Frames lie below each other in one image.
struct Picture {
  Image image;
  std::uint32_t frames = 1;
  std::vector<double> delays;  // milliseconds for each frame; empty: a still picture, or not known
  int loop = 0;                // how often an animation runs, 0: for ever

  std::uint32_t width() const { return static_cast<std::uint32_t>(image->Xsize); }
  // Of one frame.
  std::uint32_t height() const { return static_cast<std::uint32_t>(image->Ysize) / frames; }
};

// What libvips says went wrong since it was last asked, as one line, prefixed by what was tried.
std::string vips_complaint(std::string_view tried);

// An image over bytes that live elsewhere and outlive it: 8 bit, interleaved, 1 to 4 bands.
Attempt<Image> borrow_pixels(const std::uint8_t* pixels, std::uint32_t width, std::uint32_t height,
                             std::uint32_t bands);

// An image that owns its pixels.
using Pixels = std::unique_ptr<std::uint8_t[]>;
Attempt<Image> own_pixels(Pixels pixels, std::uint32_t width, std::uint32_t height, std::uint32_t bands);

// Memory for pixels, not cleared; nothing where there is none.
Pixels allocate_pixels(std::uint64_t bytes);

// Reads an 8 bit image from top to bottom, each row once: what sequential access and little memory want.
class RowReader {
 public:
  explicit RowReader(VipsImage* image);
  ~RowReader();
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  // The next rows, at most so many that they make a good strip; count is set, 0 at the end. The pointer is
  // good until the next call; rows are stride() bytes apart. nullptr on an error (vips_complaint()).
  const std::uint8_t* next(std::uint32_t& count);
  std::size_t stride() const { return stride_; }

 private:
  VipsImage* image_;
  VipsRegion* region_;
  int row_ = 0;
  std::size_t stride_ = 0;
};

}  // namespace pixmilter::render
