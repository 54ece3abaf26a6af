#include "render/png_writer.h"

#include <zlib.h>

#include <array>
#include <cstring>
#include <vector>

#include "render/palette.h"

namespace pixmilter::render {
namespace {

constexpr std::uint32_t kPixelsPerMetre = 3780;  // 96 dpi

void put_u32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
}

// Appends a chunk: length, type, data, CRC of type and data.
void put_chunk(std::string& out, std::string_view type, std::string_view data) {
  put_u32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = out.size();
  out.append(type).append(data);
  put_u32(out, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(out.data() + begin),
                                                static_cast<uInt>(out.size() - begin))));
}

// The IDAT chunk: filtered rows go in, its compressed bytes go straight behind the chunks before it.
class Idat {
 public:
  Idat(std::string& out, std::uint64_t max_bytes) : out_(out), begin_(out.size()), max_bytes_(max_bytes) {
    out_.append("\0\0\0\0IDAT", 8);
  }
  ~Idat() {
    if (open_) deflateEnd(&stream_);
  }
  bool start(int level, int strategy) {
    open_ = deflateInit2(&stream_, level, Z_DEFLATED, 15, 9, strategy) == Z_OK;
    return open_;
  }
  // False: out of memory or over the limit.
  bool add(const std::uint8_t* bytes, std::size_t size) { return run(bytes, size, Z_NO_FLUSH); }
  bool finish() {
    if (!run(nullptr, 0, Z_FINISH)) return false;
    const std::size_t size = out_.size() - begin_ - 8;
    for (int i = 0; i < 4; ++i) out_[begin_ + i] = static_cast<char>(size >> (24 - 8 * i) & 255);
    put_u32(out_,
            static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(out_.data() + begin_ + 4),
                                             static_cast<uInt>(size + 4))));
    return true;
  }

 private:
  bool run(const std::uint8_t* bytes, std::size_t size, int flush) {
    stream_.next_in = const_cast<Bytef*>(bytes);
    stream_.avail_in = static_cast<uInt>(size);
    do {
      stream_.next_out = buffer_.data();
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      if (deflate(&stream_, flush) == Z_STREAM_ERROR) return false;
      out_.append(reinterpret_cast<const char*>(buffer_.data()), buffer_.size() - stream_.avail_out);
      if (out_.size() > max_bytes_) return false;
    } while (stream_.avail_out == 0);
    return true;
  }

  std::string& out_;
  std::size_t begin_;
  std::uint64_t max_bytes_;
  z_stream stream_{};
  bool open_ = false;
  std::array<Bytef, 64 << 10> buffer_;
};

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
    if (options_.palette && bands_ >= 3) {
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
    put_u32(ihdr, width_);
    put_u32(ihdr, height_);
    ihdr += '\x08';
    ihdr += static_cast<char>(colour_type);
    ihdr.append(3, '\0');
    put_chunk(out_, "IHDR", ihdr);
    put_chunk(out_, "sRGB", std::string_view("\0", 1));
    std::string phys;
    put_u32(phys, kPixelsPerMetre);
    put_u32(phys, kPixelsPerMetre);
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
    Idat idat(out_, options_.max_output_bytes);
    if (!idat.start(options_.level ? options_.level : 4, Z_DEFAULT_STRATEGY)) return no_memory();
    const std::uint8_t no_filter = 0;
    for (std::uint32_t y = 0; y < height_; ++y)
      if (!idat.add(&no_filter, 1) || !idat.add(indices_.data() + std::size_t{y} * width_, width_))
        return too_big();
    return finish(idat);
  }

  Attempt<std::string> write_direct() {
    static constexpr std::uint8_t kColourTypes[] = {0, 4, 2, 6};
    put_header(kColourTypes[bands_ - 1]);
    Idat idat(out_, options_.max_output_bytes);
    if (!idat.start(options_.level ? options_.level : 1, Z_DEFAULT_STRATEGY)) return no_memory();
    const std::size_t row_bytes = std::size_t{width_} * bands_;
    previous_.assign(row_bytes, 0);
    filtered_.resize(row_bytes + 1);
    // The rows that were turned into indices come back from their palette.
    std::vector<std::uint8_t> row(row_bytes);
    const std::size_t indexed_rows = indices_.size() / width_;
    for (std::size_t y = 0; y < indexed_rows; ++y) {
      for (std::uint32_t x = 0; x < width_; ++x) {
        const std::uint32_t colour = palette_.colours()[indices_[y * width_ + x]];
        for (std::uint32_t band = 0; band < bands_; ++band)
          row[std::size_t{x} * bands_ + band] = static_cast<std::uint8_t>(colour >> 8 * band);
      }
      if (!add_row(idat, row.data())) return too_big();
    }
    for (std::uint32_t y = 0; y < pending_rows_; ++y)
      if (!add_row(idat, pending_ + y * rows_.stride())) return too_big();
    for (;;) {
      std::uint32_t count = 0;
      const std::uint8_t* rows = rows_.next(count);
      if (!rows) return refused(vips_complaint("pixels cannot be read"));
      if (count == 0) break;
      for (std::uint32_t y = 0; y < count; ++y)
        if (!add_row(idat, rows + y * rows_.stride())) return too_big();
    }
    return finish(idat);
  }

  // Filter "up": the difference to the pixel above.
  bool add_row(Idat& idat, const std::uint8_t* row) {
    const std::size_t row_bytes = previous_.size();
    filtered_[0] = 2;
    for (std::size_t i = 0; i < row_bytes; ++i)
      filtered_[i + 1] = static_cast<std::uint8_t>(row[i] - previous_[i]);
    std::memcpy(previous_.data(), row, row_bytes);
    return idat.add(filtered_.data(), filtered_.size());
  }

  Attempt<std::string> finish(Idat& idat) {
    if (!idat.finish()) return too_big();
    put_chunk(out_, "IEND", "");
    return std::move(out_);
  }
  Failure no_memory() const { return over_limit("no memory to compress with"); }
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
  std::vector<std::uint8_t> previous_;
  std::vector<std::uint8_t> filtered_;
};

}  // namespace

Attempt<std::string> write_png(VipsImage* image, const PngOptions& options) {
  return PngWriter(image, options).write();
}

}  // namespace pixmilter::render
