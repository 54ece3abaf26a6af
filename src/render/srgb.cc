#include "render/srgb.h"

#include <cstring>
#include <string>
#include <string_view>

#include "image/bytes.h"
#include "render/samples.h"

namespace pixmilter::render {
namespace {

// The description of an ICC profile (ICC.1 section 9.2.41: the tag 'desc'), its ASCII characters only.
std::string profile_description(std::string_view profile) {
  using image::has;
  using image::u32_big;
  if (!has(profile, 128, 4)) return {};
  const std::uint32_t tags = u32_big(profile, 128);
  for (std::uint32_t i = 0; i < tags && i < 100 && has(profile, 132 + i * 12, 12); ++i) {
    const std::size_t entry = 132 + i * 12;
    if (profile.substr(entry, 4) != "desc") continue;
    const std::uint32_t offset = u32_big(profile, entry + 4);
    const std::uint32_t size = u32_big(profile, entry + 8);
    if (!has(profile, offset, size) || size < 12) return {};
    const std::string_view tag = profile.substr(offset, size);
    std::string text;
    if (tag.starts_with("desc")) {  // version 2: a counted ASCII string
      const std::uint32_t length = u32_big(tag, 8);
      if (has(tag, 12, length)) text = std::string(tag.substr(12, length));
    } else if (tag.starts_with("mluc") && has(tag, 16, 12)) {  // version 4: UTF-16 in several languages
      const std::uint32_t length = u32_big(tag, 20);
      const std::uint32_t begin = u32_big(tag, 24);
      if (has(tag, begin, length))
        for (std::uint32_t at = 1; at < length; at += 2) text += tag[begin + at];
    }
    return text.substr(0, text.find('\0'));
  }
  return {};
}

// Profiles that say what is understood without them. Converting would cost time and the last bit.
bool is_srgb_profile(VipsImage* image) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (vips_image_get_blob(image, VIPS_META_ICC_NAME, &data, &size)) return false;
  const std::string said = profile_description({static_cast<const char*>(data), size});
  for (std::string_view known :
       {"sRGB", "sRGB IEC61966-2.1", "sRGB IEC61966-2-1", "sRGB IEC61966-2-1 black scaled", "sRGB built-in",
        "sRGB2014", "sRGB v4 ICC preference", "c2", "RGB_D65_SRG_Rel_SRG"})
    if (said == known) return true;
  return false;
}

// Runs an operation that makes one image of another.
template <class Operation>
Attempt<Done> replace(Image& image, std::string_view what, Operation operation) {
  VipsImage* out = nullptr;
  if (operation(image.get(), &out)) return refused(vips_complaint(what));
  image.reset(out);
  return Done{};
}

bool loaded_from_tiff(VipsImage* image) {
  const char* loader = nullptr;
  if (!vips_image_get_typeof(image, VIPS_META_LOADER) ||
      vips_image_get_string(image, VIPS_META_LOADER, &loader))
    return false;
  return std::string_view(loader).starts_with("tiff");
}

bool whole_bytes_or_words(const VipsImage* image) {
  return image->BandFmt == VIPS_FORMAT_UCHAR || image->BandFmt == VIPS_FORMAT_USHORT;
}

// Bare samples in the machine's own order, as vips_image_write_to_memory gives them.
Attempt<Image> colour_as_samples(Image image, const Colouring& colouring) {
  image::RawLayout layout;
  using image::BandFormat;
  switch (image->BandFmt) {
    case VIPS_FORMAT_UCHAR:
      layout.format = BandFormat::uchar;
      break;
    case VIPS_FORMAT_CHAR:
      layout.format = BandFormat::char_;
      break;
    case VIPS_FORMAT_USHORT:
      layout.format = BandFormat::ushort;
      break;
    case VIPS_FORMAT_SHORT:
      layout.format = BandFormat::short_;
      break;
    case VIPS_FORMAT_UINT:
      layout.format = BandFormat::uint;
      break;
    case VIPS_FORMAT_INT:
      layout.format = BandFormat::int_;
      break;
    case VIPS_FORMAT_FLOAT:
      layout.format = BandFormat::float_;
      break;
    case VIPS_FORMAT_DOUBLE:
      layout.format = BandFormat::double_;
      break;
    default:
      return refused("complex numbers are no picture");
  }
  layout.width = static_cast<std::uint32_t>(image->Xsize);
  layout.height = static_cast<std::uint32_t>(image->Ysize);
  layout.bands = static_cast<std::uint32_t>(image->Bands);
  VipsImage* copy = vips_image_copy_memory(image.get());
  if (!copy) return refused(vips_complaint("decoding"));
  Image samples(copy);
  const std::string_view bytes(reinterpret_cast<const char*>(VIPS_IMAGE_ADDR(copy, 0, 0)),
                               VIPS_IMAGE_SIZEOF_IMAGE(copy));
  Attempt<Picture> picture = colour(bytes, layout, colouring);
  if (!picture) return picture.failure();
  const auto release = [](VipsImage*, void* owned) { g_object_unref(owned); };
  g_signal_connect(picture->image.get(), "postclose", G_CALLBACK(+release), samples.release());
  if (vips_image_get_typeof(copy, VIPS_META_ORIENTATION))
    vips_image_set_int(picture->image.get(), VIPS_META_ORIENTATION, vips_image_get_orientation(copy));
  return std::move(picture->image);
}

// Whether a profile can be about these numbers: Lab and its like mean what they mean without one.
bool is_device_space(VipsInterpretation space) {
  switch (space) {
    case VIPS_INTERPRETATION_MULTIBAND:
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16:
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB16:
    case VIPS_INTERPRETATION_CMYK:
      return true;
    default:
      return false;
  }
}

// To the nearest of 256 levels, in a plain loop: libvips' own conversions drop the lower byte, and its linear
// function counts in double.
int narrow_rows(VipsRegion* out, void* sequence, void*, void*, gboolean*) {
  auto* in = static_cast<VipsRegion*>(sequence);
  const VipsRect& area = out->valid;
  if (vips_region_prepare(in, &area)) return -1;
  const int samples = VIPS_REGION_N_ELEMENTS(out);
  for (int y = area.top; y < area.top + area.height; ++y) {
    const auto* from = reinterpret_cast<const std::uint16_t*>(VIPS_REGION_ADDR(in, area.left, y));
    std::uint8_t* to = VIPS_REGION_ADDR(out, area.left, y);
    int i = 0;
    for (constexpr int kStep = 16; i + kStep <= samples; i += kStep) {
      std::uint16_t some[kStep];
      std::uint8_t levels[kStep];
      std::memcpy(some, from + i, sizeof some);
      for (int k = 0; k < kStep; ++k) levels[k] = nearest_level(some[k]);
      std::memcpy(to + i, levels, sizeof levels);
    }
    for (; i < samples; ++i) to[i] = nearest_level(from[i]);
  }
  return 0;
}

// in: ushort. It lives as long as what is made of it.
int narrow(VipsImage* in, VipsImage** out) {
  Image narrowed(vips_image_new());
  if (vips_image_pipelinev(narrowed.get(), VIPS_DEMAND_STYLE_THINSTRIP, in, nullptr)) return -1;
  narrowed->BandFmt = VIPS_FORMAT_UCHAR;
  g_object_ref(in);
  vips_object_local(narrowed.get(), in);
  if (vips_image_generate(narrowed.get(), vips_start_one, narrow_rows, vips_stop_one, in, nullptr)) return -1;
  *out = narrowed.release();
  return 0;
}

// A colour transform to 8 bit clips an alpha of 16 bits instead of scaling it. Takes it from the source
// again.
Attempt<Done> restore_wide_alpha(Image& image, VipsImage* source) {
  if (image->Bands != 4) return Done{};
  VipsImage* out = nullptr;
  if (vips_extract_band(source, &out, source->Bands - 1, nullptr)) return refused(vips_complaint("alpha"));
  const Image wide(out);
  if (narrow(wide.get(), &out)) return refused(vips_complaint("alpha"));
  const Image alpha(out);
  if (vips_extract_band(image.get(), &out, 0, "n", 3, nullptr)) return refused(vips_complaint("alpha"));
  const Image colours(out);
  if (vips_bandjoin2(colours.get(), alpha.get(), &out, nullptr)) return refused(vips_complaint("alpha"));
  image.reset(out);
  return Done{};
}

Attempt<Done> apply_profile(Image& image, VipsInterpretation space) {
  const bool cmyk = space == VIPS_INTERPRETATION_CMYK;
  const bool embedded = vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME) != 0;
  if (!whole_bytes_or_words(image.get()) || !is_device_space(space) || (!embedded && !cmyk) ||
      (!cmyk && is_srgb_profile(image.get())))
    return Done{};
  VipsImage* out = nullptr;
  const int failed =
      cmyk ? vips_icc_transform(image.get(), &out, "srgb", "embedded", TRUE, "input_profile", "cmyk", "depth",
                                8, nullptr)
           : vips_icc_transform(image.get(), &out, "srgb", "embedded", TRUE, "depth", 8, nullptr);
  if (!failed) {
    const Image source = std::move(image);
    image.reset(out);
    return source->BandFmt == VIPS_FORMAT_USHORT ? restore_wide_alpha(image, source.get()) : Done{};
  }
  if (cmyk) return refused(vips_complaint("cmyk"));
  vips_error_clear();  // a profile that cannot be used is as good as none
  return Done{};
}

}  // namespace

Attempt<Image> to_srgb8(Image image, const Colouring& colouring) {
  if (auto done = apply_profile(image, vips_image_guess_interpretation(image.get())); !done)
    return done.failure();
  if (image->Bands > 4) {
    auto done = replace(image, "bands", [](VipsImage* in, VipsImage** out) {
      return vips_extract_band(in, out, 0, "n", 3, nullptr);
    });
    if (!done) return done.failure();
  }
  switch (vips_image_guess_interpretation(image.get())) {
    case VIPS_INTERPRETATION_LAB:
    case VIPS_INTERPRETATION_LABS:
    case VIPS_INTERPRETATION_LABQ: {
      // TIFF's Lab has the white of ICC's connection space (D50); libvips' own conversions take D65.
      auto done = replace(image, "colours", [](VipsImage* in, VipsImage** out) {
        return vips_colourspace(in, out, VIPS_INTERPRETATION_LAB, nullptr);
      });
      if (!done) return done.failure();
      done = replace(image, "colours", [](VipsImage* in, VipsImage** out) {
        return vips_icc_export(in, out, "pcs", VIPS_PCS_LAB, "output_profile", "srgb", "depth", 8, nullptr);
      });
      if (!done) return done.failure();
      break;
    }
    case VIPS_INTERPRETATION_LCH:
    case VIPS_INTERPRETATION_CMC:
    case VIPS_INTERPRETATION_XYZ:
    case VIPS_INTERPRETATION_YXY:
    case VIPS_INTERPRETATION_HSV: {
      auto done = replace(image, "colours", [](VipsImage* in, VipsImage** out) {
        return vips_colourspace(in, out, VIPS_INTERPRETATION_sRGB, nullptr);
      });
      if (!done) return done.failure();
      break;
    }
    case VIPS_INTERPRETATION_scRGB:
      // Linear light where a decoder says so (JPEG XL); TIFF calls any float RGB by this name and is read as
      // bare samples are.
      if (!loaded_from_tiff(image.get())) {
        auto done = replace(image, "colours", [](VipsImage* in, VipsImage** out) {
          return vips_colourspace(in, out, VIPS_INTERPRETATION_sRGB, nullptr);
        });
        if (!done) return done.failure();
      }
      break;
    default:
      break;
  }
  if (image->BandFmt == VIPS_FORMAT_USHORT && colouring.range.kind == image::Range::Kind::by_type) {
    auto done = replace(image, "colours", narrow);
    if (!done) return done.failure();
  } else if (image->BandFmt != VIPS_FORMAT_UCHAR) {
    return colour_as_samples(std::move(image), colouring);
  }
  return image;
}

Attempt<Image> upright(Image image) {
  if (vips_image_get_orientation(image.get()) <= 1) return image;
  // Turning reads the picture in another order than it is decoded in.
  auto done = replace(image, "decoding", [](VipsImage* in, VipsImage** out) {
    *out = vips_image_copy_memory(in);
    return *out ? 0 : -1;
  });
  if (!done) return done.failure();
  done = replace(image, "orientation",
                 [](VipsImage* in, VipsImage** out) { return vips_autorot(in, out, nullptr); });
  if (!done) return done.failure();
  return image;
}

}  // namespace pixmilter::render
