#include "render/png_writer.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "image/bytes.h"
#include "render/idat.h"
#include "render/palette.h"
#include "render/png_strategy.h"

namespace pixmilter::render {
namespace {

constexpr std::uint32_t kPixelsPerMetre = 3780;  // 96 dpi
constexpr std::uint32_t kStripBytes = 128 << 10;
constexpr std::size_t kBytesBetweenChoices = 2 * kStripBytes;
// Nothing is tried: each row's difference to the one above, runs and codes by frequency.
constexpr PngStrategy kFastest{Filter::up, false, 1};

// Appends a chunk: length, type, data, CRC of type and data.
void put_chunk(std::string& out, std::string_view type, std::string_view data) {
  image::put_u32_big(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = out.size();
  out.append(type).append(data);
  image::put_u32_big(out, libdeflate_crc32(0, out.data() + begin, out.size() - begin));
}

class PngWriter {
 public:
  PngWriter(VipsImage* image, const PngOptions& options)
      : options_(options),
        width_(static_cast<std::uint32_t>(image->Xsize)),
        height_(static_cast<std::uint32_t>(image->Ysize)),
        bands_(static_cast<std::uint32_t>(image->Bands)),
        rows_(image) {}

  Attempt<std::string> write() {
    out_.append("\x89PNG\r\n\x1A\n", 8);
    if (options_.palette && !options_.fastest && bands_ >= 3) {
      if (auto failure = index_rows(); !failure) return failure.failure();
      if (exact_ && worth_it()) return write_indexed();
    }
    return write_direct();
  }

 private:
  // Turns rows into indices until the picture ends or the colours exceed 256.
  Attempt<Done> index_rows() {
    for (;;) {
      std::uint32_t count = 0;
      const std::uint8_t* rows = rows_.next(count);
      if (!rows) return refused(vips_complaint("pixels cannot be read"));
      if (count == 0) {
        exact_ = true;
        return Done{};
      }
      for (std::uint32_t y = 0; y < count; ++y) {
        const std::uint8_t* row = rows + y * rows_.stride();
        const std::size_t begin = indices_.size();
        indices_.resize(begin + width_);
        for (std::uint32_t x = 0; x < width_; ++x) {
          const int index = palette_.index(colour_at(row + std::size_t{x} * bands_, bands_));
          if (index < 0) {
            // This row, and what is left of the strip, has not been used.
            indices_.resize(begin);
            pending_ = row;
            pending_rows_ = count - y;
            return Done{};
          }
          indices_[begin + x] = static_cast<std::uint8_t>(index);
        }
      }
    }
  }

  // The palette itself takes up to a kilobyte: nothing for tiny pictures with many colours.
  bool worth_it() const {
    const std::size_t pixels = std::size_t{width_} * height_;
    return pixels * (bands_ - 1) > palette_.colours().size() * (bands_ + 1);
  }

  void put_header(std::uint8_t colour_type) {
    std::string ihdr;
    image::put_u32_big(ihdr, width_);
    image::put_u32_big(ihdr, height_);
    ihdr += '\x08';
    ihdr += static_cast<char>(colour_type);
    ihdr.append(3, '\0');
    put_chunk(out_, "IHDR", ihdr);
    put_chunk(out_, "sRGB", std::string_view("\0", 1));
    std::string phys;
    image::put_u32_big(phys, kPixelsPerMetre);
    image::put_u32_big(phys, kPixelsPerMetre);
    phys += '\x01';
    put_chunk(out_, "pHYs", phys);
  }

  Attempt<std::string> write_indexed() {
    put_header(3);
    std::string colours;
    std::string alphas;
    for (const std::uint32_t colour : palette_.colours()) {
      for (int shift = 0; shift < 24; shift += 8) colours += static_cast<char>(colour >> shift & 255);
      alphas += static_cast<char>(colour >> 24);
    }
    // pHYs may stand before PLTE; tRNS has to stand behind it. Opaque entries at the end are left out.
    put_chunk(out_, "PLTE", colours);
    const std::size_t last = alphas.find_last_not_of('\xFF');
    if (last != std::string::npos) put_chunk(out_, "tRNS", alphas.substr(0, last + 1));
    start(width_, 1, true);
    Idat idat(out_, filtered_bytes(), options_.max_output_bytes);
    prepare(idat);
    const std::uint32_t rows = std::max<std::uint32_t>(1, kStripBytes / width_);
    for (std::uint32_t y = 0; y < height_; y += rows)
      if (!add_rows(idat, indices_.data() + std::size_t{y} * width_, width_, std::min(rows, height_ - y)))
        return too_big();
    return finish(idat);
  }

  Attempt<std::string> write_direct() {
    static constexpr std::uint8_t kColourTypes[] = {0, 4, 2, 6};
    put_header(kColourTypes[bands_ - 1]);
    const std::size_t row_bytes = std::size_t{width_} * bands_;
    start(row_bytes, bands_, false);
    Idat idat(out_, filtered_bytes(), options_.max_output_bytes);
    prepare(idat);
    // The rows that were turned into indices come back from their palette.
    const std::size_t indexed_rows = indices_.size() / width_;
    const std::size_t strip_rows = std::max<std::size_t>(1, kStripBytes / row_bytes);
    std::vector<std::uint8_t> strip;
    for (std::size_t y = 0; y < indexed_rows; y += strip_rows) {
      const std::size_t count = std::min(strip_rows, indexed_rows - y);
      strip.clear();
      for (std::size_t i = y * width_; i < (y + count) * width_; ++i) {
        const std::uint32_t colour = palette_.colours()[indices_[i]];
        for (std::uint32_t band = 0; band < bands_; ++band)
          strip.push_back(static_cast<std::uint8_t>(colour >> 8 * band));
      }
      if (!add_rows(idat, strip.data(), row_bytes, static_cast<std::uint32_t>(count))) return too_big();
    }
    if (pending_rows_ > 0 && !add_rows(idat, pending_, rows_.stride(), pending_rows_)) return too_big();
    for (;;) {
      std::uint32_t count = 0;
      const std::uint8_t* rows = rows_.next(count);
      if (!rows) return refused(vips_complaint("pixels cannot be read"));
      if (count == 0) break;
      if (!add_rows(idat, rows, rows_.stride(), count)) return too_big();
    }
    return finish(idat);
  }

  void start(std::size_t row_bytes, std::size_t pixel_bytes, bool palette) {
    previous_.assign(row_bytes, 0);
    pixel_bytes_ = pixel_bytes;
    chooser_.emplace(options_.smallest, palette);
  }
  void prepare(Idat& idat) const {
    if (options_.smallest) idat.prefer_smallest();
    if (options_.helper) idat.allow_helper();
  }
  std::uint64_t filtered_bytes() const { return (previous_.size() + 1) * std::uint64_t{height_}; }

  // Filters rows and hands them on, looking anew every few strips at how that is best done.
  bool add_rows(Idat& idat, const std::uint8_t* first, std::size_t stride, std::uint32_t count) {
    const Rows rows{first, stride, count, previous_.size(), pixel_bytes_, previous_.data()};
    filtered_.resize(std::max(filtered_.size(), rows.filtered_bytes()));
    if (!options_.fastest && since_choice_ >= kBytesBetweenChoices) {
      since_choice_ = 0;
      strategy_ = chooser_->choose(rows);
    }
    since_choice_ += rows.filtered_bytes();
    filter_rows(strategy_.filter, rows, filtered_.data());
    std::memcpy(previous_.data(), rows.row(count - 1), rows.row_bytes);
    return idat.add(filtered_, rows.filtered_bytes(), strategy_);
  }

  Attempt<std::string> finish(Idat& idat) {
    if (!idat.finish()) return too_big();
    put_chunk(out_, "IEND", "");
    return std::move(out_);
  }
  Failure too_big() const {
    return over_limit("the PNG exceeds " + std::to_string(options_.max_output_bytes) + " bytes");
  }

  const PngOptions& options_;
  std::uint32_t width_;
  std::uint32_t height_;
  std::uint32_t bands_;
  RowReader rows_;
  std::string out_;
  Palette palette_;
  std::vector<std::uint8_t> indices_;
  bool exact_ = false;  // the palette holds every colour
  const std::uint8_t* pending_ = nullptr;
  std::uint32_t pending_rows_ = 0;
  std::optional<PngChooser> chooser_;
  PngStrategy strategy_ = kFastest;
  std::size_t since_choice_ = kBytesBetweenChoices;  // the first strip chooses
  std::vector<std::uint8_t> previous_;
  std::size_t pixel_bytes_ = 1;
  std::vector<std::uint8_t> filtered_;
};

}  // namespace

Attempt<std::string> write_png(VipsImage* image, const PngOptions& options) {
  return PngWriter(image, options).write();
}

}  // namespace pixmilter::render
