#include "render/picture.h"

#include <exception>
#include <new>

#include "image/bmp.h"
#include "image/layout.h"
#include "image/metadata.h"
#include "image/netpbm.h"
#include "render/bmp_reader.h"
#include "render/colours.h"
#include "render/encode.h"
#include "render/load.h"
#include "render/netpbm_reader.h"
#include "render/sizing.h"
#include "render/srgb.h"
#include "render/vips_image.h"

namespace pixmilter::render {
namespace {

using image::Format;
using image::ImageJob;
using image::ImageResult;

Colouring colouring_of(const image::RenderSettings& settings) {
  Colouring colouring;
  colouring.colormap = settings.colormap;
  colouring.range = settings.range;
  return colouring;
}

Attempt<Picture> open_raw(const ImageJob& job) {
  const image::RawLayout& layout = job.layout;
  // The layout crossed a process boundary: it is believed only after it is judged once more.
  if (auto fits = image::check_layout(layout, job.bytes); !fits) return refused(fits.error().text);
  if (auto limits = check_limits(job.limits, layout.width, layout.height, layout.frames); !limits)
    return limits.failure();
  Attempt<Picture> picture = colour(job.bytes, layout, colouring_of(job.settings));
  if (picture && layout.frames > 1 && job.settings.fps > 0)
    picture->delays.assign(layout.frames, 1000 / job.settings.fps);
  return picture;
}

Attempt<Picture> open_netpbm(const ImageJob& job) {
  const Result<image::Netpbm> header = image::read_netpbm(job.bytes);
  if (!header) return refused(header.error().text);
  if (auto limits = check_limits(job.limits, header->layout.width, header->layout.height, 1); !limits)
    return limits.failure();
  return read_netpbm_pixels(job.bytes, *header, colouring_of(job.settings));
}

Attempt<Picture> open_bmp(const ImageJob& job) {
  const Result<image::Bmp> header = image::read_bmp(job.bytes);
  if (!header) return refused(header.error().text);
  if (auto limits = check_limits(job.limits, header->width, header->height, 1); !limits)
    return limits.failure();
  Attempt<Picture> picture = read_bmp_pixels(job.bytes, *header);
  if (!picture || header->profile_bytes == 0) return picture;
  const std::string_view profile = job.bytes.substr(static_cast<std::size_t>(header->profile_offset),
                                                    static_cast<std::size_t>(header->profile_bytes));
  vips_image_set_blob_copy(picture->image.get(), VIPS_META_ICC_NAME, profile.data(), profile.size());
  Attempt<Image> image = to_srgb8(std::move(picture->image), colouring_of(job.settings));
  if (!image) return image.failure();
  picture->image = std::move(*image);
  return picture;
}

// What libvips decodes, brought to 8 bit sRGB and upright.
Attempt<Picture> open_encoded(const ImageJob& job) {
  Attempt<Picture> picture = load(job);
  if (!picture) return picture;
  Attempt<Image> image = to_srgb8(std::move(picture->image), colouring_of(job.settings));
  if (!image) return image.failure();
  if (picture->frames == 1) image = upright(std::move(*image));
  if (!image) return image.failure();
  picture->image = std::move(*image);
  return picture;
}

Attempt<Picture> open(const ImageJob& job) {
  if (job.format == Format::raw || job.format == Format::npy) return open_raw(job);
  // The bytes have the last word, also over whoever made the job.
  if (image::sniff(job.bytes) != job.format)
    return refused("these bytes are not " + std::string(image::name(job.format)));
  switch (job.format) {
    case Format::pnm:
    case Format::pfm:
    case Format::pam:
      return open_netpbm(job);
    case Format::bmp:
      return open_bmp(job);
    case Format::unknown:
      return refused("no known picture format");
    default:
      return open_encoded(job);
  }
}

// Text in a PNG is nothing to a renderer, but libpng would inflate it, up to 50 MB of it and twice. The bytes
// without it, where there is any.
std::string without_text(const ImageJob& job) {
  if (job.format != Format::png) return {};
  auto stripped = image::strip_metadata(job.bytes, image::Strip::all);
  return stripped && *stripped ? std::move(**stripped) : std::string();
}

Attempt<ImageResult> render(const ImageJob& given) {
  ImageJob job = given;
  const std::string stripped = without_text(given);
  if (!stripped.empty()) job.bytes = stripped;
  Attempt<Picture> picture = open(job);
  if (!picture) return picture.failure();
  const Geometry geometry = geometry_for(picture->width(), picture->height(), job.settings);
  if (auto limits = check_limits(job.limits, geometry.scaled_width, geometry.scaled_height, picture->frames);
      !limits)
    return limits.failure();
  picture = resize(std::move(*picture), geometry);
  if (!picture) return picture.failure();
  return encode(std::move(*picture), job);
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
