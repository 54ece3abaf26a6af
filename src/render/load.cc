#include "render/load.h"

#include <algorithm>
#include <string>

#include "image/header.h"
#include "render/sizing.h"
#include "render/svg_check.h"

namespace pixmilter::render {
namespace {

using image::Format;
using image::ImageJob;

// What a loader is asked besides the bytes.
struct Wish {
  int shrink = 1;    // JPEG: 1, 2, 4 or 8
  double scale = 1;  // WebP up to 1, SVG any
};

Attempt<Image> call_loader(const ImageJob& job, const Wish& wish) {
  void* bytes = const_cast<char*>(job.bytes.data());
  const std::size_t size = job.bytes.size();
  VipsImage* image = nullptr;
  int failed = -1;
  // Sequential access keeps the decoded picture out of memory; fail_on refuses what is broken rather than
  // fill it in.
#define PIXMILTER_LOAD(loader, ...)                                                            \
  loader(bytes, size, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, \
         ##__VA_ARGS__, nullptr)
  switch (job.format) {
    case Format::png:
      failed = PIXMILTER_LOAD(vips_pngload_buffer);
      break;
    case Format::jpeg:
      failed = PIXMILTER_LOAD(vips_jpegload_buffer, "shrink", wish.shrink);
      break;
    case Format::gif:
      failed = PIXMILTER_LOAD(vips_gifload_buffer, "n", -1);
      break;
    case Format::webp:
      failed = PIXMILTER_LOAD(vips_webpload_buffer, "n", -1, "scale", wish.scale);
      break;
    case Format::tiff:
      failed = PIXMILTER_LOAD(vips_tiffload_buffer, "page",
                              static_cast<int>(std::min(job.settings.page, 99'999u)));
      break;
    case Format::heif:
    case Format::avif:
      failed = PIXMILTER_LOAD(vips_heifload_buffer);
      break;
    case Format::svg:
      failed = PIXMILTER_LOAD(vips_svgload_buffer, "scale", wish.scale);
      break;
    case Format::jxl:
      failed = PIXMILTER_LOAD(vips_jxlload_buffer);
      break;
    case Format::jp2:
      failed = PIXMILTER_LOAD(vips_jp2kload_buffer);
      break;
    default:
      return refused("no loader for " + std::string(image::name(job.format)));
  }
#undef PIXMILTER_LOAD
  if (failed) return refused(vips_complaint(image::name(job.format)));
  return Image(image);
}

// libvips gives the frames of an animation below each other and says how high one is.
Attempt<Picture> with_frames(Image image) {
  Picture picture;
  const int page = vips_image_get_page_height(image.get());
  if (page <= 0 || image->Ysize % page != 0) return refused("frames of unequal height");
  picture.frames = static_cast<std::uint32_t>(image->Ysize / page);
  int* delays = nullptr;
  int count = 0;
  if (vips_image_get_typeof(image.get(), "delay") &&
      vips_image_get_array_int(image.get(), "delay", &delays, &count) == 0)
    picture.delays.assign(delays, delays + count);
  if (vips_image_get_typeof(image.get(), "loop")) vips_image_get_int(image.get(), "loop", &picture.loop);
  picture.image = std::move(image);
  return picture;
}

// Each scan of a progressive JPEG visits every pixel, and may take a dozen bytes to ask for it.
constexpr int kMaxJpegScans = 100;

int count_jpeg_scans(std::string_view bytes) {
  int scans = 0;
  // Within coded data 0xFF is always followed by 0 or a restart; segments may hold anything, so this counts
  // too many rather than too few.
  for (std::size_t at = 0; (at = bytes.find("\xFF\xDA", at)) != std::string_view::npos; at += 2) ++scans;
  return scans;
}

Attempt<Done> judge(const ImageJob& job, const Picture& picture) {
  return check_limits(job.limits, picture.width(), picture.height(), picture.frames);
}

// The factor, at most 1, by which both sides shrink at least.
double reduction(const ImageJob& job, const Picture& picture) {
  std::uint32_t width = picture.width();
  std::uint32_t height = picture.height();
  if (vips_image_get_orientation(picture.image.get()) > 4) std::swap(width, height);
  const Geometry geometry = geometry_for(width, height, job.settings);
  return std::max(static_cast<double>(geometry.scaled_width) / width,
                  static_cast<double>(geometry.scaled_height) / height);
}

// CSS px, before any scaling.
constexpr std::uint32_t kMaxSvgSide = 1'000'000;

// SVG has no pixels of its own: it is drawn at the size that is wanted.
Attempt<Picture> load_svg(const ImageJob& job) {
  const Attempt<SvgCost> cost = check_svg(job.bytes);
  if (!cost) return cost.failure();
  // Where the size exceeds what librsvg can count, it draws another.
  const auto header = image::read_header(job.bytes);
  if (header && std::max(header->width, header->height) > kMaxSvgSide)
    return over_limit("svg: " + std::to_string(header->width) + "x" + std::to_string(header->height) + " px");
  Wish wish;
  wish.scale = std::clamp(job.settings.svg_scale, 0.01, 100.0);
  Attempt<Image> image = call_loader(job, wish);
  if (!image) return image.failure();
  // Where librsvg reads the size in another way than browsers and the header that we read, theirs counts.
  const double said = header ? std::max(header->width, header->height) * wish.scale : 0;
  const double drawn = std::max((*image)->Xsize, (*image)->Ysize);
  if (said > 0 && std::abs(said - drawn) > 1 + wish.scale) {
    wish.scale *= said / drawn;
    image = call_loader(job, wish);
    if (!image) return image.failure();
  }
  const auto width = static_cast<std::uint32_t>((*image)->Xsize);
  const auto height = static_cast<std::uint32_t>((*image)->Ysize);
  const Geometry geometry = geometry_for(width, height, job.settings);
  const double factor = std::max(static_cast<double>(geometry.scaled_width) / width,
                                 static_cast<double>(geometry.scaled_height) / height);
  if (factor != 1) {
    wish.scale *= factor;
    image = call_loader(job, wish);
    if (!image) return image.failure();
  }
  Attempt<Picture> picture = with_frames(std::move(*image));
  if (!picture) return picture;
  if (auto limits = judge(job, *picture); !limits) return limits.failure();
  const std::uint64_t pixels = std::uint64_t{picture->width()} * picture->height();
  if (cost->filter_steps > kMaxSvgFilterPixels / pixels)
    return over_limit("svg: " + std::to_string(cost->filter_steps) + " filter steps over " +
                      std::to_string(pixels) + " pixels");
  return picture;
}

}  // namespace

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

Attempt<Picture> load(const ImageJob& job) {
  if (job.format == Format::svg) return load_svg(job);
  // libvips shows the whole frames of a GIF that is cut short, as if there were no more.
  if (job.format == Format::gif)
    if (auto header = image::read_header(job.bytes); !header) return refused(header.error().text);
  if (job.format == Format::jpeg)
    if (const int scans = count_jpeg_scans(job.bytes); scans > kMaxJpegScans)
      return over_limit("jpeg: " + std::to_string(scans) + " scans");
  Attempt<Image> image = call_loader(job, {});
  if (!image) return image.failure();
  Attempt<Picture> picture = with_frames(std::move(*image));
  if (!picture) return picture;
  if (auto limits = judge(job, *picture); !limits) return limits.failure();

  // Half is left for the resizing kernel, whose result is better than that of a decoder.
  const double half = reduction(job, *picture) * 2;
  Wish wish;
  if (job.format == Format::jpeg)
    while (wish.shrink < 8 && half * wish.shrink * 2 <= 1) wish.shrink *= 2;
  if (job.format == Format::webp && picture->frames == 1 && half < 1) wish.scale = half;
  if (wish.shrink == 1 && wish.scale == 1) return picture;
  image = call_loader(job, wish);
  if (!image) return image.failure();
  return with_frames(std::move(*image));
}

}  // namespace pixmilter::render
