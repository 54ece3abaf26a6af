#include "render/vips_image.h"

#include <algorithm>
#include <new>

#include "base/log.h"

namespace pixmilter::render {

std::string vips_complaint(std::string_view tried) {
  std::string_view said = vips_error_buffer();
  said = said.substr(0, said.find('\n'));
  std::string line(tried);
  line += ": ";
  for (const char c : said.substr(0, 200)) line += c >= ' ' && c < 127 ? c : '?';
  if (said.empty()) line += "no reason given";
  vips_error_clear();
  return line;
}

Pixels allocate_pixels(std::uint64_t bytes) {
  return Pixels(bytes > SIZE_MAX ? nullptr : new (std::nothrow) std::uint8_t[bytes]);
}

Attempt<Image> borrow_pixels(const std::uint8_t* pixels, std::uint32_t width, std::uint32_t height,
                             std::uint32_t bands) {
  VipsImage* image =
      vips_image_new_from_memory(pixels, std::size_t{width} * height * bands, static_cast<int>(width),
                                 static_cast<int>(height), static_cast<int>(bands), VIPS_FORMAT_UCHAR);
  if (!image) return refused(vips_complaint("pixels"));
  image->Type = bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  return Image(image);
}

Attempt<Image> own_pixels(Pixels pixels, std::uint32_t width, std::uint32_t height, std::uint32_t bands) {
  Attempt<Image> image = borrow_pixels(pixels.get(), width, height, bands);
  if (!image) return image;
  const auto release = [](VipsImage*, void* memory) { delete[] static_cast<std::uint8_t*>(memory); };
  g_signal_connect(image->get(), "postclose", G_CALLBACK(+release), pixels.release());
  return image;
}

RowReader::RowReader(VipsImage* image) : image_(image), region_(vips_region_new(image)) {}
RowReader::~RowReader() { g_object_unref(region_); }

const std::uint8_t* RowReader::next(std::uint32_t& count) {
  constexpr int kStripBytes = 128 << 10;  // within the second-level cache, with room for what is made of it
  const int row_bytes = image_->Xsize * image_->Bands;
  // Strips start at multiples of their height: libvips' sequential loaders decode in such steps.
  const int rows = std::clamp(kStripBytes / std::max(row_bytes, 1), 1, 256);
  VipsRect strip{0, row_, image_->Xsize, std::min(rows, image_->Ysize - row_)};
  count = 0;
  static const std::uint8_t kNothing = 0;
  if (strip.height <= 0) return &kNothing;
  if (vips_region_prepare(region_, &strip)) return nullptr;
  stride_ = VIPS_REGION_LSKIP(region_);
  row_ += strip.height;
  count = static_cast<std::uint32_t>(strip.height);
  return VIPS_REGION_ADDR(region_, 0, strip.top);
}

}  // namespace pixmilter::render
