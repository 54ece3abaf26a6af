#include "render/idat.h"

#include <libdeflate.h>

#include <algorithm>
#include <memory>

#include "image/bytes.h"
#include "render/run_deflate.h"

namespace pixmilter::render {
namespace {

constexpr std::size_t kWindow = 32 << 10;  // how far back deflate looks
constexpr std::size_t kZlibBuffer = 64 << 10;
constexpr std::uint64_t kWorthAHelper = 512 << 10;  // less is done before a thread has started
constexpr std::size_t kMaxWaiting = 16 << 20;
constexpr int kLevel = 6;
constexpr int kSmallestLevel = 9;

}  // namespace

Idat::Idat(std::string& out, std::uint64_t total, std::uint64_t max_bytes)
    : out_(out), begin_(out.size()), left_(total), max_bytes_(max_bytes) {
  out_.append("\0\0\0\0IDAT", 8);
  out_.append("\x78\x01", 2);  // deflate, window of 32 kB, no dictionary
}

Idat::~Idat() {
  if (open_) deflateEnd(&stream_);
}

bool Idat::add(std::vector<std::uint8_t>& strip, std::size_t size, const PngStrategy& strategy) {
  adler_ = libdeflate_adler32(adler_, strip.data(), size);
  if (!strategy.search) return add_runs(strip, size);
  if (!take_from_helper()) return false;
  const bool added = search(strip.data(), size, strategy.level);
  left_ -= size;
  return added;
}

bool Idat::finish() {
  if (!take_from_helper()) return false;
  if (!waiting_.empty()) {
    if (!search_to_the_end()) return false;
  } else if (searching_) {
    if (!stop_search(Z_FINISH)) return false;
  } else {
    out_.append("\x03\x00", 2);  // the last block, with the codes that everybody knows, and nothing in it
  }
  image::put_u32_big(out_, adler_);
  const std::size_t size = out_.size() - begin_ - 8;
  if (out_.size() > max_bytes_ || size > INT32_MAX) return false;
  for (std::size_t i = 0; i < 4; ++i) out_[begin_ + i] = static_cast<char>(size >> (24 - 8 * i) & 255);
  image::put_u32_big(out_, libdeflate_crc32(0, out_.data() + begin_ + 4, size + 4));
  return true;
}

bool Idat::append(const std::uint8_t* bytes, std::size_t size) {
  out_.append(reinterpret_cast<const char*>(bytes), size);
  return out_.size() <= max_bytes_;
}

// Of two strips one goes to the helper; that is taken when the other is done here, so the order stays.
bool Idat::add_runs(std::vector<std::uint8_t>& strip, std::size_t size) {
  if (!search_waiting() || (searching_ && !stop_search(Z_SYNC_FLUSH))) return false;
  const std::size_t kept = std::min(size, kWindow);
  tail_.assign(strip.data() + size - kept, strip.data() + size);
  if (helper_allowed_ && !helper_ && left_ >= kWorthAHelper) {
    helper_.emplace();
    helper_allowed_ = helper_->start();
  }
  left_ -= size;
  if (helper_ && helper_allowed_ && !helper_->busy()) {
    helper_->give(strip, size);
    return true;
  }
  buffer_.resize(std::max(buffer_.size(), deflate_runs_bound(size)));
  const std::size_t deflated = deflate_runs(strip.data(), size, buffer_.data());
  if (!take_from_helper()) return false;
  take_room(size, deflated);
  return append(buffer_.data(), deflated);
}

bool Idat::take_from_helper() {
  if (!helper_ || !helper_->busy()) return true;
  const std::span<const std::uint8_t> deflated = helper_->take();
  return append(deflated.data(), deflated.size());
}

// What follows most often takes as much: the bytes are not moved again and again.
void Idat::take_room(std::size_t size, std::size_t deflated) {
  if (room_taken_) return;
  room_taken_ = true;
  const double ratio = static_cast<double>(deflated) / static_cast<double>(size);
  const auto more = static_cast<std::uint64_t>(ratio * 1.1 * static_cast<double>(left_ + size)) + kZlibBuffer;
  out_.reserve(out_.size() + static_cast<std::size_t>(std::min(more, max_bytes_)));
}

bool Idat::search(const std::uint8_t* bytes, std::size_t size, int level) {
  if (!searching_ && waiting_.size() + size <= kMaxWaiting) {
    waiting_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(waiting_.size() + left_, kMaxWaiting)));
    waiting_.insert(waiting_.end(), bytes, bytes + size);
    waiting_level_ = std::max(waiting_level_, level);
    return true;
  }
  if (!search_waiting()) return false;
  buffer_.resize(std::max(buffer_.size(), kZlibBuffer));
  if (!searching_ ? !start_search(level) : level != level_ && !change_level(level)) return false;
  return run_zlib(bytes, size, Z_NO_FLUSH);
}

// With zlib, as more is to follow.
bool Idat::search_waiting() {
  if (waiting_.empty()) return true;
  buffer_.resize(std::max(buffer_.size(), kZlibBuffer));
  if (!start_search(waiting_level_) || !run_zlib(waiting_.data(), waiting_.size(), Z_NO_FLUSH)) return false;
  waiting_.clear();
  waiting_level_ = 0;
  return true;
}

bool Idat::search_to_the_end() {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(smallest_ ? kSmallestLevel : kLevel), libdeflate_free_compressor);
  if (!compressor) return false;
  buffer_.resize(libdeflate_deflate_compress_bound(compressor.get(), waiting_.size()));
  const std::size_t size = libdeflate_deflate_compress(compressor.get(), waiting_.data(), waiting_.size(),
                                                       buffer_.data(), buffer_.size());
  return size > 0 && append(buffer_.data(), size);
}

bool Idat::start_search(int level) {
  if (!open_) {
    open_ = deflateInit2(&stream_, level, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK;
    level_ = level;
  }
  if (!open_ || deflateReset(&stream_) != Z_OK) return false;
  searching_ = true;
  if (level != level_ && !change_level(level)) return false;
  return tail_.empty() ||
         deflateSetDictionary(&stream_, tail_.data(), static_cast<uInt>(tail_.size())) == Z_OK;
}

bool Idat::stop_search(int flush) {
  searching_ = false;
  return run_zlib(nullptr, 0, flush);
}

bool Idat::change_level(int level) {
  level_ = level;
  stream_.avail_in = 0;
  for (;;) {
    stream_.next_out = buffer_.data();
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    const int done = deflateParams(&stream_, level, Z_DEFAULT_STRATEGY);
    if (!append(buffer_.data(), buffer_.size() - stream_.avail_out)) return false;
    if (done == Z_OK) return true;
    if (done != Z_BUF_ERROR) return false;
  }
}

bool Idat::run_zlib(const std::uint8_t* bytes, std::size_t size, int flush) {
  stream_.next_in = const_cast<Bytef*>(bytes);
  stream_.avail_in = static_cast<uInt>(size);
  do {
    stream_.next_out = buffer_.data();
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    if (deflate(&stream_, flush) == Z_STREAM_ERROR) return false;
    if (!append(buffer_.data(), buffer_.size() - stream_.avail_out)) return false;
  } while (stream_.avail_out == 0);
  return true;
}

}  // namespace pixmilter::render
