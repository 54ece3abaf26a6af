#include "render/srgb.h"

namespace pixmilter::render {

Attempt<Image> to_srgb8(Image image) {
  VipsImage* out = nullptr;
  const VipsInterpretation space = vips_image_guess_interpretation(image.get());
  if (vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME)) {
    if (vips_icc_transform(image.get(), &out, "srgb", "embedded", TRUE, "depth", 8, nullptr) == 0)
      image.reset(out);
    else
      vips_error_clear();  // a profile that cannot be used is as good as none
  }
  const bool gray = space == VIPS_INTERPRETATION_B_W || space == VIPS_INTERPRETATION_GREY16;
  if (image->BandFmt != VIPS_FORMAT_UCHAR || (!gray && image->Type != VIPS_INTERPRETATION_sRGB)) {
    if (vips_colourspace(image.get(), &out, gray ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB,
                         nullptr))
      return refused(vips_complaint("colours"));
    image.reset(out);
  }
  if (image->BandFmt != VIPS_FORMAT_UCHAR) {
    if (vips_cast_uchar(image.get(), &out, nullptr)) return refused(vips_complaint("colours"));
    image.reset(out);
  }
  return image;
}

Attempt<Image> upright(Image image) {
  if (vips_image_get_orientation(image.get()) <= 1) return image;
  VipsImage* out = nullptr;
  // Turning reads the picture in another order than it is decoded in.
  if (VipsImage* copy = vips_image_copy_memory(image.get()))
    image.reset(copy);
  else
    return refused(vips_complaint("decoding"));
  if (vips_autorot(image.get(), &out, nullptr)) return refused(vips_complaint("orientation"));
  image.reset(out);
  return image;
}

}  // namespace pixmilter::render
