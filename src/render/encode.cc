#include "render/encode.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "image/header.h"
#include "render/gif_writer.h"
#include "render/palette.h"
#include "render/png_writer.h"
#include "render/sizing.h"

namespace pixmilter::render {
namespace {

using image::Format;
using image::ImageResult;
using image::OutputFormat;
using image::RenderSettings;

// Below this JPEG shows its blocks; a smaller picture reads better.
constexpr int kLowestQuality = 40;

bool has_alpha(const VipsImage* image) { return image->Bands == 2 || image->Bands == 4; }

// Makes sure that the pixels can be read more than once and in any order.
Attempt<Done> hold_in_memory(Picture& picture) {
  VipsImage* copy = vips_image_copy_memory(picture.image.get());
  if (!copy) return refused(vips_complaint("pixels cannot be read"));
  picture.image.reset(copy);
  return Done{};
}

Attempt<Done> keep_first_frame(Picture& picture) {
  if (picture.frames == 1) return Done{};
  VipsImage* first = nullptr;
  if (vips_extract_area(picture.image.get(), &first, 0, 0, static_cast<int>(picture.width()),
                        static_cast<int>(picture.height()), nullptr))
    return refused(vips_complaint("frames"));
  picture.image.reset(first);
  picture.frames = 1;
  picture.delays.clear();
  return Done{};
}

// A picture in memory is taken for a photograph when it is opaque, has more colours than a palette, and,
// unless it comes out of a lossy codec, few pixels equal their left neighbour: drawings are flat, camera
// pictures are not, but codecs smooth both, and give a drawing colours that it never had.
bool is_photograph(const Picture& picture, bool from_lossy) {
  const VipsImage* image = picture.image.get();
  const auto bands = static_cast<std::uint32_t>(image->Bands);
  const auto* pixels = reinterpret_cast<const std::uint8_t*>(VIPS_IMAGE_ADDR(image, 0, 0));
  const std::uint64_t width = picture.width();
  const std::uint64_t height = picture.height();
  if (has_alpha(image))
    for (std::uint64_t i = 0; i < width * height; ++i)
      if (pixels[i * bands + bands - 1] != 255) return false;
  constexpr std::uint64_t kRowsLookedAt = 256;
  const std::uint64_t step = std::max<std::uint64_t>(1, height / kRowsLookedAt);
  std::uint64_t pairs = 0;
  std::uint64_t equal = 0;
  Palette palette;
  bool many_colours = bands < 3;
  for (std::uint64_t y = 0; y < height; y += step)
    for (std::uint64_t x = 1; x < width; ++x) {
      const std::uint8_t* pixel = pixels + (y * width + x) * bands;
      const std::uint32_t colour = colour_at(pixel, bands);
      ++pairs;
      if (colour == colour_at(pixel - bands, bands)) ++equal;
      if (!many_colours && palette.index(colour) < 0) many_colours = true;
    }
  return many_colours && (from_lossy || equal * 4 < pairs);
}

Attempt<std::string> write_jpeg(const Picture& picture, int quality, bool small) {
  VipsImage* out = nullptr;
  Image flat;
  VipsImage* in = picture.image.get();
  if (has_alpha(in)) {
    const double white = 255;
    VipsArrayDouble* background = vips_array_double_new(&white, 1);
    const int failed = vips_flatten(in, &out, "background", background, nullptr);
    vips_area_unref(VIPS_AREA(background));
    if (failed) return refused(vips_complaint("jpeg"));
    flat.reset(out);
    in = out;
  }
  void* bytes = nullptr;
  std::size_t size = 0;
  if (vips_jpegsave_buffer(in, &bytes, &size, "Q", quality, "strip", TRUE, "optimize_coding",
                           small ? TRUE : FALSE, nullptr))
    return refused(vips_complaint("jpeg"));
  const std::unique_ptr<void, decltype(&g_free)> release(bytes, g_free);
  // Without metadata libvips leaves the JFIF header out as well. This one says 96 dpi and no thumbnail.
  static constexpr std::string_view kStart("\xFF\xD8", 2);
  static constexpr std::string_view kJfif("\xFF\xE0\0\x10JFIF\0\1\1\1\0\x60\0\x60\0\0", 18);
  const std::string_view plain(static_cast<const char*>(bytes), size);
  if (!plain.starts_with(kStart)) return refused("jpeg: the encoder gave something else");
  std::string jpeg;
  jpeg.reserve(size + kJfif.size());
  jpeg.append(kStart).append(kJfif).append(plain.substr(kStart.size()));
  return jpeg;
}

class Encoder {
 public:
  explicit Encoder(const image::ImageJob& job)
      : settings_(job.settings),
        max_output_bytes_(std::min<std::uint64_t>(job.limits.max_output_bytes, (std::uint64_t{1} << 31) - 1)),
        from_lossy_(image::is_lossy(job.format, job.bytes)),
        from_jpeg_(job.format == Format::jpeg),
        hurried_(job.hurried) {}

  Attempt<ImageResult> encode(Picture picture) {
    if (auto chosen = choose(picture); !chosen) return chosen.failure();
    if (format_ != Format::gif)
      if (auto first = keep_first_frame(picture); !first) return first.failure();
    if (settings_.max_bytes == 0) return finish(picture, write(picture, settings_.quality));
    if (auto held = hold_in_memory(picture); !held) return held.failure();
    return within_bytes(std::move(picture));
  }

 private:
  // Sets format_.
  Attempt<Done> choose(Picture& picture) {
    switch (settings_.format) {
      case OutputFormat::png:
        format_ = Format::png;
        return Done{};
      case OutputFormat::jpeg:
        format_ = Format::jpeg;
        return Done{};
      case OutputFormat::gif:
        format_ = Format::gif;
        return Done{};
      case OutputFormat::automatic:
        break;
    }
    format_ = picture.frames > 1 ? Format::gif : Format::png;
    if (format_ == Format::gif) return Done{};
    // A rule that makes smaller what has lost detail before allows that more is lost; and whoever made a JPEG
    // has decided what it is.
    const bool smaller = settings_.resize != image::Resize::none || settings_.max_bytes != 0;
    if (from_jpeg_ && (smaller || settings_.lossy_allowed)) {
      format_ = Format::jpeg;
    } else if (settings_.lossy_allowed || (from_lossy_ && smaller)) {
      if (auto held = hold_in_memory(picture); !held) return held.failure();
      if (is_photograph(picture, from_lossy_)) format_ = Format::jpeg;
    }
    return Done{};
  }

  Attempt<std::string> write(const Picture& picture, int quality) const {
    Attempt<std::string> bytes = refused("no encoder");
    switch (format_) {
      case Format::jpeg:
        bytes = write_jpeg(picture, quality, !hurried_);
        break;
      case Format::gif:
        bytes = write_gif(picture, max_output_bytes_);
        break;
      default: {
        PngOptions options;
        options.max_output_bytes = max_output_bytes_;
        options.fastest = hurried_;
        options.smallest = settings_.max_bytes != 0;
        bytes = write_png(picture.image.get(), options);
      }
    }
    if (bytes && bytes->size() > max_output_bytes_)
      return over_limit("the picture exceeds " + std::to_string(max_output_bytes_) + " bytes");
    return bytes;
  }

  Attempt<ImageResult> finish(const Picture& picture, Attempt<std::string> bytes) const {
    if (!bytes) return bytes.failure();
    ImageResult result;
    result.status = image::Status::ok;
    result.bytes = std::move(*bytes);
    result.format = format_;
    result.width = picture.width();
    result.height = picture.height();
    result.frames = picture.frames;
    return result;
  }

  // The best quality whose bytes fit; where none does, those of the lowest.
  Attempt<std::string> best_quality(const Picture& picture) const {
    Attempt<std::string> best = write(picture, settings_.quality);
    if (!best || best->size() <= settings_.max_bytes || format_ != Format::jpeg) return best;
    int low = std::min<int>(kLowestQuality, settings_.quality);
    int high = settings_.quality;
    best = write(picture, low);
    if (!best || best->size() > settings_.max_bytes || hurried_) return best;
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      Attempt<std::string> tried = write(picture, middle);
      if (!tried) return tried;
      if (tried->size() <= settings_.max_bytes) {
        low = middle;
        best = std::move(tried);
      } else {
        high = middle;
      }
    }
    return best;
  }

  Attempt<ImageResult> within_bytes(Picture whole) const {
    Attempt<std::string> bytes = best_quality(whole);
    Geometry size{whole.width(), whole.height(), whole.width(), whole.height()};
    Picture current;
    while (bytes && bytes->size() > settings_.max_bytes) {
      // Bytes go roughly with the area. A little less than that, so that the search ends soon.
      const double ratio = static_cast<double>(settings_.max_bytes) / static_cast<double>(bytes->size());
      const double factor = std::clamp(std::sqrt(ratio) * 0.97, 0.1, 0.9);
      const auto smaller = [&](std::uint32_t side) {
        return static_cast<std::uint32_t>(std::floor(side * factor));
      };
      Geometry next{smaller(size.width), smaller(size.height), smaller(size.width), smaller(size.height)};
      const std::uint32_t floor = std::max(settings_.min_side, 1u);
      if (std::min(next.width, next.height) < floor) {
        // The last try is at the floor itself.
        const std::uint32_t shorter = std::min(size.width, size.height);
        if (shorter <= floor)
          return over_limit("takes " + std::to_string(bytes->size()) + " bytes at its smallest, " +
                            std::to_string(size.width) + "x" + std::to_string(size.height) +
                            "; max_bytes is " + std::to_string(settings_.max_bytes));
        const double last = static_cast<double>(floor) / shorter;
        const auto at_floor = [&](std::uint32_t side) {
          return std::max(floor, static_cast<std::uint32_t>(std::round(side * last)));
        };
        next = {at_floor(size.width), at_floor(size.height), at_floor(size.width), at_floor(size.height)};
      }
      size = next;
      Picture source;
      source.image.reset(VIPS_IMAGE(g_object_ref(whole.image.get())));
      source.frames = whole.frames;
      source.delays = whole.delays;
      source.loop = whole.loop;
      Attempt<Picture> resized = resize(std::move(source), size);
      if (!resized) return resized.failure();
      current = std::move(*resized);
      if (auto held = hold_in_memory(current); !held) return held.failure();
      bytes = best_quality(current);
    }
    return finish(current.image ? current : whole, std::move(bytes));
  }

  const RenderSettings& settings_;
  std::uint64_t max_output_bytes_;
  bool from_lossy_;  // what is lost is lost already
  bool from_jpeg_;
  bool hurried_;
  Format format_ = Format::png;
};

}  // namespace

Attempt<ImageResult> encode(Picture picture, const image::ImageJob& job) {
  return Encoder(job).encode(std::move(picture));
}

}  // namespace pixmilter::render
