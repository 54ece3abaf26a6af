#include "render/sizing.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pixmilter::render {
namespace {

std::uint32_t scaled(std::uint32_t side, double factor) {
  return static_cast<std::uint32_t>(std::clamp(std::round(side * factor), 1.0, 4294967295.0));
}

// One frame, in 8 bit.
Attempt<Image> scale_frame(VipsImage* frame, const Geometry& geometry) {
  VipsImage* out = nullptr;
  const bool alpha = frame->Bands == 2 || frame->Bands == 4;
  Image current;
  VipsImage* in = frame;
  if (alpha) {
    if (vips_premultiply(in, &out, nullptr)) return refused(vips_complaint("resizing"));
    current.reset(out);
    in = out;
  }
  const double across = static_cast<double>(geometry.scaled_width) / frame->Xsize;
  const double down = static_cast<double>(geometry.scaled_height) / frame->Ysize;
  // A gap of 2: whole pixels are averaged as long as two are left for each one that the kernel makes.
  if (vips_resize(in, &out, across, "vscale", down, "kernel", VIPS_KERNEL_LANCZOS3, "gap", 2.0, nullptr))
    return refused(vips_complaint("resizing"));
  current.reset(out);
  if (alpha) {
    if (vips_unpremultiply(current.get(), &out, nullptr)) return refused(vips_complaint("resizing"));
    current.reset(out);
    // To the nearest level: a cast alone cuts off.
    if (vips_linear1(current.get(), &out, 1.0, 0.5, "uchar", TRUE, nullptr))
      return refused(vips_complaint("resizing"));
    current.reset(out);
  }
  if (geometry.width != geometry.scaled_width || geometry.height != geometry.scaled_height) {
    const auto middle = [](int whole, std::uint32_t part) { return (whole - static_cast<int>(part)) / 2; };
    const int width = std::min(static_cast<int>(geometry.width), current->Xsize);
    const int height = std::min(static_cast<int>(geometry.height), current->Ysize);
    if (vips_extract_area(current.get(), &out, middle(current->Xsize, geometry.width),
                          middle(current->Ysize, geometry.height), width, height, nullptr))
      return refused(vips_complaint("cropping"));
    current.reset(out);
  }
  return current;
}

}  // namespace

Geometry geometry_for(std::uint32_t width, std::uint32_t height, const image::RenderSettings& settings) {
  Geometry same{width, height, width, height};
  if (settings.resize == image::Resize::none || width == 0 || height == 0 ||
      (settings.width == 0 && settings.height == 0))
    return same;
  // What the box asks of each side; a side that is not given asks for nothing.
  double across = settings.width ? static_cast<double>(settings.width) / width : 0;
  double down = settings.height ? static_cast<double>(settings.height) / height : 0;
  const bool both = settings.width && settings.height;
  if (!both) across = down = std::max(across, down);
  if (!settings.enlarge) {
    across = std::min(across, 1.0);
    down = std::min(down, 1.0);
  }
  Geometry out;
  if (settings.resize == image::Resize::force) {
    out.scaled_width = scaled(width, across);
    out.scaled_height = scaled(height, down);
  } else {
    const double factor =
        settings.resize == image::Resize::fill && both ? std::max(across, down) : std::min(across, down);
    out.scaled_width = scaled(width, factor);
    out.scaled_height = scaled(height, factor);
  }
  out.width = out.scaled_width;
  out.height = out.scaled_height;
  if (settings.resize == image::Resize::fill && both) {
    out.width = std::min(out.scaled_width, settings.width);
    out.height = std::min(out.scaled_height, settings.height);
  }
  return out;
}

Attempt<Picture> resize(Picture picture, const Geometry& geometry) {
  if (geometry == Geometry{picture.width(), picture.height(), picture.width(), picture.height()})
    return picture;
  if (picture.frames == 1) {
    Attempt<Image> image = scale_frame(picture.image.get(), geometry);
    if (!image) return image.failure();
    picture.image = std::move(*image);
    return picture;
  }
  // Frames are taken one by one, so that none bleeds into the next; for that the source is read out of order.
  VipsImage* all = vips_image_copy_memory(picture.image.get());
  if (!all) return refused(vips_complaint("decoding"));
  const Image owner(all);
  std::vector<Image> frames;
  const int height = static_cast<int>(picture.height());
  for (int i = 0; i < static_cast<int>(picture.frames); ++i) {
    VipsImage* frame = nullptr;
    if (vips_extract_area(all, &frame, 0, i * height, all->Xsize, height, nullptr))
      return refused(vips_complaint("frames"));
    const Image frame_owner(frame);
    Attempt<Image> image = scale_frame(frame, geometry);
    if (!image) return image.failure();
    frames.push_back(std::move(*image));
  }
  std::vector<VipsImage*> borrowed;
  for (const Image& frame : frames) borrowed.push_back(frame.get());
  VipsImage* joined = nullptr;
  if (vips_arrayjoin(borrowed.data(), &joined, static_cast<int>(borrowed.size()), "across", 1, nullptr))
    return refused(vips_complaint("frames"));
  picture.image.reset(joined);
  return picture;
}

}  // namespace pixmilter::render
