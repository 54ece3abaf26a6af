#include "render/load.h"

#include <string>

namespace pixmilter::render {
namespace {

using image::Format;

// libvips gives the frames of an animation below each other and says how high one is.
Attempt<Done> find_frames(Picture& picture) {
  VipsImage* image = picture.image.get();
  const int page = vips_image_get_page_height(image);
  if (page <= 0 || image->Ysize % page != 0) return refused("frames of unequal height");
  picture.frames = static_cast<std::uint32_t>(image->Ysize / page);
  if (vips_image_get_typeof(image, "delay")) {
    int* delays = nullptr;
    int count = 0;
    if (vips_image_get_array_int(image, "delay", &delays, &count) == 0)
      picture.delays.assign(delays, delays + count);
  }
  if (vips_image_get_typeof(image, "loop")) vips_image_get_int(image, "loop", &picture.loop);
  return Done{};
}

}  // namespace

bool vips_loads(Format format) {
  switch (format) {
    case Format::png:
    case Format::jpeg:
    case Format::gif:
    case Format::webp:
    case Format::tiff:
    case Format::heif:
    case Format::avif:
    case Format::svg:
    case Format::jxl:
    case Format::jp2:
      return true;
    default:
      return false;
  }
}

Attempt<Done> check_limits(const image::Limits& limits, std::uint64_t width, std::uint64_t height,
                           std::uint64_t frames) {
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  if (width > limits.max_side || height > limits.max_side)
    return over_limit(size + " exceeds max_side " + std::to_string(limits.max_side));
  if (width * height > limits.max_pixels)
    return over_limit(size + " exceeds max_pixels " + std::to_string(limits.max_pixels));
  if (frames > limits.max_frames)
    return over_limit(std::to_string(frames) + " frames exceed max_frames " +
                      std::to_string(limits.max_frames));
  // All frames are in memory at once when they are encoded.
  if (frames > 1 && width * height * frames > limits.max_pixels)
    return over_limit(std::to_string(frames) + " frames of " + size + " exceed max_pixels " +
                      std::to_string(limits.max_pixels));
  return Done{};
}

Attempt<Picture> load(const image::ImageJob& job, Format format) {
  void* bytes = const_cast<char*>(job.bytes.data());
  const std::size_t size = job.bytes.size();
  const int page = static_cast<int>(job.settings.page);
  VipsImage* image = nullptr;
  int failed = -1;
  // VIPS_ACCESS_SEQUENTIAL keeps the decoded picture out of memory, VIPS_FAIL_ON_ERROR refuses what is
  // broken rather than filling it in.
#define PIXMILTER_LOAD(loader, ...)                                                            \
  loader(bytes, size, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, \
         __VA_ARGS__ nullptr)
  switch (format) {
    case Format::png:
      failed = PIXMILTER_LOAD(vips_pngload_buffer, );
      break;
    case Format::jpeg:
      failed = PIXMILTER_LOAD(vips_jpegload_buffer, );
      break;
    case Format::gif:
      failed = PIXMILTER_LOAD(vips_gifload_buffer, "n", -1, );
      break;
    case Format::webp:
      failed = PIXMILTER_LOAD(vips_webpload_buffer, "n", -1, );
      break;
    case Format::tiff:
      failed = PIXMILTER_LOAD(vips_tiffload_buffer, "page", page, );
      break;
    case Format::heif:
    case Format::avif:
      failed = PIXMILTER_LOAD(vips_heifload_buffer, );
      break;
    case Format::svg:
      failed = PIXMILTER_LOAD(vips_svgload_buffer, "scale", job.settings.svg_scale, );
      break;
    case Format::jxl:
      failed = PIXMILTER_LOAD(vips_jxlload_buffer, );
      break;
    case Format::jp2:
      failed = PIXMILTER_LOAD(vips_jp2kload_buffer, );
      break;
    default:
      return refused("no loader for " + std::string(image::name(format)));
  }
#undef PIXMILTER_LOAD
  if (failed) return refused(vips_complaint(image::name(format)));
  Picture picture;
  picture.image.reset(image);
  if (auto frames = find_frames(picture); !frames) return frames.failure();
  if (auto limits = check_limits(job.limits, picture.width(), picture.height(), picture.frames); !limits)
    return limits.failure();
  return picture;
}

}  // namespace pixmilter::render
