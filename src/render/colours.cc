#include "render/colours.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/sanitized.h"
#include "render/colormap.h"
#include "render/samples.h"
#include "render/statistics.h"

namespace pixmilter::render {
namespace {

using image::BandFormat;
using image::Colormap;
using image::Range;

// What rounding does to values that were meant to be 0 or 1.
constexpr double kTolerance = 1e-6;

constexpr std::uint16_t kTransparent = 256;

// From the low end, which becomes 0, to the high end, which becomes 255.
struct Scale {
  double low = 0;
  double high = 1;
};

Scale type_scale(const Samples& s, const Colouring& colouring) {
  if (colouring.white) return {0, *colouring.white};
  return with_reader(s.layout, [&](auto reader) -> Scale {
    using Value = typename decltype(reader)::Value;
    if (s.is_float()) return {0, 1 / colouring.unit};
    if (s.layout.format == BandFormat::boolean) return {0, 1};
    return {static_cast<double>(std::numeric_limits<Value>::min()),
            static_cast<double>(std::numeric_limits<Value>::max())};
  });
}

bool fits(const Extent& extent, double high) {
  const double slack = high * kTolerance;
  return !extent.found || (extent.low >= -slack && extent.high <= high + slack);
}

// 0..1 for floats, 0..255 for wide integers: what colour pictures of these types usually hold.
double usual_white(const Samples& s, const Colouring& colouring) {
  return s.is_float() ? 1 / colouring.unit : 255;
}

Scale colour_scale(const Samples& s, const Statistics& statistics, const Colouring& colouring) {
  const Extent& extent = statistics.colour;
  const Scale automatic = extent.found ? Scale{extent.low, extent.high} : Scale{0, 1};
  switch (colouring.range.kind) {
    case Range::Kind::automatic:
      return automatic;
    case Range::Kind::full:
      return type_scale(s, colouring);
    case Range::Kind::fixed:

      return {colouring.range.low / colouring.unit, colouring.range.high / colouring.unit};
    case Range::Kind::percentile: {
      const Extent cut = percentiles(s, colouring.range.low, colouring.range.high);
      return cut.found ? Scale{cut.low, cut.high} : Scale{0, 1};
    }
    case Range::Kind::by_type:
      break;
  }
  if (colouring.white || !(s.is_float() || s.is_wide_integer())) return type_scale(s, colouring);
  if (s.layout.bands == 1 || !fits(extent, usual_white(s, colouring))) return automatic;
  return {0, usual_white(s, colouring)};
}

Scale alpha_scale(const Samples& s, const Statistics& statistics, const Colouring& colouring, Scale colour) {
  if (colouring.white || !(s.is_float() || s.is_wide_integer())) return type_scale(s, colouring);
  return fits(statistics.alpha, usual_white(s, colouring)) ? Scale{0, usual_white(s, colouring)} : colour;
}

// What a scale without width means for values above it: Normalize makes all of them low end; an alpha that is
// judged by the colours' scale is there or not.
enum class Flat { low_end, step };

// Where a value lies in a scale: 0 to 1, computed in the type that matplotlib's Normalize uses for it.
template <class Real>
class Normalizer {
 public:
  Normalizer(Scale scale, Flat flat)
      : scale_(scale),
        low_(static_cast<Real>(scale.low)),
        step_(flat == Flat::step || scale.high > scale.low) {
    // Halves, where the difference itself would pass the greatest number.
    half_ = !std::isfinite(static_cast<Real>(scale.high - scale.low));
    const double width = half_ ? scale.high / 2 - scale.low / 2 : scale.high - scale.low;
    width_ = static_cast<Real>(width);
  }
  Real operator()(Real value) const {
    if (!(width_ > 0)) return step_ && static_cast<double>(value) > scale_.high ? 1 : 0;
    const Real x = half_ ? (value / 2 - low_ / 2) / width_ : (value - low_) / width_;
    return x > 0 ? (x < 1 ? x : Real{1}) : Real{0};
  }

 private:
  Scale scale_;
  Real low_;
  Real width_;
  bool half_;
  bool step_;  // also where only rounding took the width away
};

// A level rounds to the nearest of 256, as Pillow's pictures are read; an index cuts the range into 256 equal
// parts, as matplotlib's colour maps do.
enum class Cell { level, index };

template <class R>
class CellOf {
 public:
  CellOf(Scale scale, Cell cell, Flat flat) : normalize_(scale, flat), index_(cell == Cell::index) {}
  // 0 to 255, or kTransparent.
  std::uint16_t operator()(typename R::Value value) const {
    if constexpr (std::is_floating_point_v<typename R::Value>)
      if (std::isnan(value)) return kTransparent;
    const Real x = normalize_(static_cast<Real>(value));
    if (index_) return static_cast<std::uint16_t>(std::min<Real>(x * 256, 255));
    return static_cast<std::uint16_t>(x * 255 + Real{0.5});
  }

 private:
  using Real = typename R::Real;
  Normalizer<Real> normalize_;
  bool index_;
};

// Converts rows of samples to rows of pixels. One for each picture; const once made.
class Converter {
 public:
  virtual ~Converter() = default;
  virtual void convert(std::uint32_t row, std::uint32_t column, std::uint32_t count,
                       std::uint8_t* out) const = 0;
};

template <class R>
class TypedConverter : public Converter {
 public:
  TypedConverter(const Samples& samples, Scale colour, Scale alpha, Cell cell, const ColormapTable* table,
                 bool nan_alpha)
      : s_(samples),
        colour_(colour, cell, Flat::low_end),
        alpha_(alpha, Cell::level, Flat::step),
        table_(table),
        alpha_out_(samples.has_alpha() || nan_alpha) {
    // Few codes and many samples: each code is computed once.
    const std::uint64_t count = std::uint64_t{s_.layout.width} * s_.layout.height * s_.layout.frames;
    if constexpr (sizeof(typename R::Code) <= 2)
      if (count >= (std::size_t{1} << 8 * sizeof(typename R::Code)) / 8) fill_tables();
  }

  void convert(std::uint32_t row, std::uint32_t column, std::uint32_t count,
               std::uint8_t* out) const override {
    const std::uint8_t* at = s_.at(row / s_.layout.height, row % s_.layout.height) +
                             static_cast<std::ptrdiff_t>(column) * s_.column_step;
    const bool looked_up = !colour_table_.empty();
    if (s_.colour_bands() == 1)
      looked_up ? one_band<true>(at, count, out) : one_band<false>(at, count, out);
    else
      looked_up ? three_bands<true>(at, count, out) : three_bands<false>(at, count, out);
  }

 private:
  void fill_tables() {
    constexpr std::size_t kCodes = std::size_t{1} << 8 * std::min<std::size_t>(sizeof(typename R::Code), 2);
    colour_table_.resize(kCodes);
    if (s_.has_alpha()) alpha_table_.resize(kCodes);
    for (std::size_t code = 0; code < kCodes; ++code) {
      const auto value = R::value(static_cast<typename R::Code>(code));
      colour_table_[code] = colour_(value);
      if (s_.has_alpha()) alpha_table_[code] = alpha_(value);
    }
  }
  template <bool LookedUp>
  std::uint16_t colour_cell(const std::uint8_t* at) const {
    return LookedUp ? colour_table_[R::code(at)] : colour_(R::load(at));
  }
  template <bool LookedUp>
  std::uint8_t alpha_cell(const std::uint8_t* at) const {
    const std::uint16_t cell = LookedUp ? alpha_table_[R::code(at)] : alpha_(R::load(at));
    return cell == kTransparent ? 0 : static_cast<std::uint8_t>(cell);
  }

  template <bool LookedUp>
  void one_band(const std::uint8_t* at, std::uint32_t count, std::uint8_t* out) const {
    for (; count > 0; --count, at += s_.column_step) {
      const std::uint16_t cell = colour_cell<LookedUp>(at);
      const bool transparent = cell == kTransparent;
      if (table_) {
        const std::uint32_t rgb = transparent ? 0 : (*table_)[cell];
        *out++ = static_cast<std::uint8_t>(rgb >> 16);
        *out++ = static_cast<std::uint8_t>(rgb >> 8);
        *out++ = static_cast<std::uint8_t>(rgb);
      } else {
        *out++ = transparent ? 0 : static_cast<std::uint8_t>(cell);
      }
      if (alpha_out_)
        *out++ = transparent ? 0 : s_.has_alpha() ? alpha_cell<LookedUp>(at + s_.band_step) : 255;
    }
  }

  template <bool LookedUp>
  void three_bands(const std::uint8_t* at, std::uint32_t count, std::uint8_t* out) const {
    for (; count > 0; --count, at += s_.column_step) {
      const std::uint16_t red = colour_cell<LookedUp>(at);
      const std::uint16_t green = colour_cell<LookedUp>(at + s_.band_step);
      const std::uint16_t blue = colour_cell<LookedUp>(at + 2 * s_.band_step);
      // Only kTransparent has bit 8.
      const bool transparent = ((red | green | blue) & kTransparent) != 0;
      *out++ = transparent ? 0 : static_cast<std::uint8_t>(red);
      *out++ = transparent ? 0 : static_cast<std::uint8_t>(green);
      *out++ = transparent ? 0 : static_cast<std::uint8_t>(blue);
      if (alpha_out_)
        *out++ = transparent ? 0 : s_.has_alpha() ? alpha_cell<LookedUp>(at + 3 * s_.band_step) : 255;
    }
  }

  Samples s_;
  CellOf<R> colour_;
  CellOf<R> alpha_;
  const ColormapTable* table_;  // nullptr: gray or RGB
  bool alpha_out_;
  std::vector<std::uint16_t> colour_table_;
  std::vector<std::uint16_t> alpha_table_;
};

// Of a thread of libvips', which GLib's locks put after what this one has made ready, and before what it
// takes away.
int generate(VipsRegion* region, void*, void* converter, void*, gboolean*) {
  see_order(converter);
  const VipsRect& r = region->valid;
  for (int y = r.top; y < r.top + r.height; ++y)
    static_cast<const Converter*>(converter)->convert(
        static_cast<std::uint32_t>(y), static_cast<std::uint32_t>(r.left),
        static_cast<std::uint32_t>(r.width), VIPS_REGION_ADDR(region, r.left, y));
  tell_order(converter);
  return 0;
}

Attempt<Image> converted_image(std::unique_ptr<Converter> converter, const Samples& s, std::uint32_t bands) {
  Image image(vips_image_new());
  vips_image_init_fields(image.get(), static_cast<int>(s.layout.width),
                         static_cast<int>(s.layout.height * s.layout.frames), static_cast<int>(bands),
                         VIPS_FORMAT_UCHAR, VIPS_CODING_NONE,
                         bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB, 1, 1);
  Converter* raw = converter.release();
  const auto release = [](VipsImage*, void* data) {
    see_order(data);
    delete static_cast<Converter*>(data);
  };
  g_signal_connect(image.get(), "postclose", G_CALLBACK(+release), raw);
  tell_order(raw);
  if (vips_image_pipelinev(image.get(), VIPS_DEMAND_STYLE_THINSTRIP, nullptr) ||
      vips_image_generate(image.get(), nullptr, generate, nullptr, raw, nullptr))
    return refused(vips_complaint("colours"));
  return image;
}

}  // namespace

Attempt<Picture> colour(std::string_view bytes, const image::RawLayout& layout, const Colouring& colouring) {
  const Samples s = samples_of(bytes, layout, colouring.bottom_up);
  const Colormap automatic = layout.bands == 1 && (s.is_float() || s.is_wide_integer()) && !colouring.white
                                 ? Colormap::viridis
                                 : Colormap::automatic;
  Colormap map = colouring.colormap == Colormap::automatic ? automatic : colouring.colormap;
  if (s.colour_bands() == 3) map = Colormap::automatic;
  const Range::Kind kind = colouring.range.kind;

  Picture picture;
  picture.frames = layout.frames;
  const bool as_it_is = layout.format == BandFormat::uchar && !layout.planar && !layout.fortran_order &&
                        !colouring.bottom_up && !colouring.white && map == Colormap::automatic &&
                        (kind == Range::Kind::by_type || kind == Range::Kind::full);
  if (as_it_is) {
    Attempt<Image> image = borrow_pixels(s.first, layout.width, layout.height * layout.frames, layout.bands);
    if (!image) return image.failure();
    picture.image = std::move(*image);
    return picture;
  }

  const bool values_matter = s.is_float() || s.is_wide_integer() || kind == Range::Kind::automatic;
  const Statistics statistics = values_matter ? measure(s) : Statistics{};
  const Scale scale = colour_scale(s, statistics, colouring);
  const Scale alpha = s.has_alpha() ? alpha_scale(s, statistics, colouring, scale) : Scale{};
  const ColormapTable* table =
      map == Colormap::automatic || map == Colormap::gray ? nullptr : &colormap_table(map);
  const Cell cell = map == Colormap::automatic ? Cell::level : Cell::index;
  const std::uint32_t bands =
      (table || s.colour_bands() == 3 ? 3 : 1) + (s.has_alpha() || statistics.has_nan ? 1 : 0);
  auto converter = with_reader(layout, [&](auto reader) -> std::unique_ptr<Converter> {
    return std::make_unique<TypedConverter<decltype(reader)>>(s, scale, alpha, cell, table,
                                                              statistics.has_nan);
  });
  Attempt<Image> image = converted_image(std::move(converter), s, bands);
  if (!image) return image.failure();
  picture.image = std::move(*image);
  return picture;
}

}  // namespace pixmilter::render
