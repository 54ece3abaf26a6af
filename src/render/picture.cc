#include "render/picture.h"

#include <exception>
#include <new>

#include "render/load.h"
#include "render/png_writer.h"
#include "render/srgb.h"
#include "render/vips_image.h"

namespace pixmilter::render {
namespace {

using image::Format;
using image::ImageJob;
using image::ImageResult;

Attempt<Picture> open_raw(const ImageJob& job) {
  const image::RawLayout& layout = job.layout;
  if (layout.format != image::BandFormat::uchar || layout.planar || layout.fortran_order ||
      layout.frames != 1)
    return refused("this layout of raw pixels is not served yet");
  if (auto limits = check_limits(job.limits, layout.width, layout.height, layout.frames); !limits)
    return limits.failure();
  Picture picture;
  const auto* pixels = reinterpret_cast<const std::uint8_t*>(job.bytes.data()) + layout.offset;
  Attempt<Image> image = borrow_pixels(pixels, layout.width, layout.height, layout.bands);
  if (!image) return image.failure();
  picture.image = std::move(*image);
  return picture;
}

Attempt<ImageResult> render(const ImageJob& job) {
  const bool raw = job.format == Format::raw || job.format == Format::npy;
  Attempt<Picture> picture = raw ? open_raw(job) : load(job, job.format);
  if (!picture) return picture.failure();
  if (!raw) {
    Attempt<Image> image = upright(std::move(picture->image));
    if (!image) return image.failure();
    image = to_srgb8(std::move(*image));
    if (!image) return image.failure();
    picture->image = std::move(*image);
  }
  ImageResult result;
  PngOptions options;
  options.max_output_bytes = job.limits.max_output_bytes;
  Attempt<std::string> png = write_png(picture->image.get(), options);
  if (!png) return png.failure();
  result.status = image::Status::ok;
  result.bytes = std::move(*png);
  result.format = Format::png;
  result.width = picture->width();
  result.height = picture->height();
  return result;
}

}  // namespace

ImageResult render_picture(const ImageJob& job) {
  ImageResult result;
  try {
    Attempt<ImageResult> attempt = render(job);
    if (attempt) return std::move(*attempt);
    result.status = attempt.failure().status;
    result.reason = attempt.failure().reason;
  } catch (const std::bad_alloc&) {
    result.status = image::Status::limit;
    result.reason = "out of memory";
  } catch (const std::exception& error) {
    result.status = image::Status::refused;
    result.reason = error.what();
  }
  vips_error_clear();
  return result;
}

}  // namespace pixmilter::render
