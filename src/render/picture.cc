#include "render/picture.h"

#include <vips/vips.h>

namespace pixmilter::render {

using image::Format;
using image::ImageResult;
using image::Status;

namespace {

ImageResult failed(Status status) {
  ImageResult result;
  result.status = status;
  result.reason = vips_error_buffer();
  while (!result.reason.empty() && result.reason.back() == '\n') result.reason.pop_back();
  vips_error_clear();
  return result;
}

VipsImage* open(const image::ImageJob& job) {
  if (job.format != Format::raw && job.format != Format::npy)
    return vips_image_new_from_buffer(job.bytes.data(), job.bytes.size(), "", "access",
                                      VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, nullptr);
  const auto& layout = job.layout;
  if (layout.format != image::BandFormat::uchar || layout.offset > job.bytes.size()) {
    vips_error("raw", "only uchar pixels");
    return nullptr;
  }
  VipsImage* image = vips_image_new_from_memory(
      job.bytes.data() + layout.offset, job.bytes.size() - layout.offset, static_cast<int>(layout.width),
      static_cast<int>(layout.height), static_cast<int>(layout.bands), VIPS_FORMAT_UCHAR);
  if (image != nullptr) image->Type = layout.bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  return image;
}

}  // namespace

ImageResult render_picture(const image::ImageJob& job) {
  VipsImage* image = open(job);
  if (image == nullptr) return failed(Status::refused);
  void* data = nullptr;
  std::size_t size = 0;
  const int width = vips_image_get_width(image);
  const int height = vips_image_get_height(image);
  if (std::uint64_t{1} * static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height) >
      job.limits.max_pixels) {
    g_object_unref(image);
    vips_error("limit", "%d x %d pixels are over the limit", width, height);
    return failed(Status::limit);
  }
  const int outcome = vips_pngsave_buffer(image, &data, &size, nullptr);
  g_object_unref(image);
  if (outcome != 0) return failed(Status::refused);
  ImageResult result;
  result.status = Status::ok;
  result.format = Format::png;
  result.width = static_cast<std::uint32_t>(width);
  result.height = static_cast<std::uint32_t>(height);
  result.bytes.assign(static_cast<const char*>(data), size);
  g_free(data);
  return result;
}

}  // namespace pixmilter::render
