// Bits in deflate's order (RFC 1951, 3.1.1): the first one is the lowest of the first byte.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pixmilter::render {

// Writes where it is told to, without asking for room: who uses it knows how much will come.
class BitWriter {
 public:
  // flush() stores so many bytes at once; they have to fit behind the last one that counts.
  static constexpr std::size_t kSlack = 8;
  // Bits that may be put between two flushes.
  static constexpr unsigned kBitsAtOnce = 56;

  explicit BitWriter(std::uint8_t* out) : at_(out) {
    static_assert(std::endian::native == std::endian::little);
  }

  // bits: nothing above the lowest count.
  void put(std::uint64_t bits, unsigned count) {
    held_ |= bits << filled_;
    filled_ += count;
  }
  // Stores the whole bytes.
  void flush() {
    std::memcpy(at_, &held_, sizeof held_);
    at_ += filled_ >> 3;
    held_ >>= filled_ & ~7u;
    filled_ &= 7;
  }
  // After a flush.
  bool at_byte() const { return filled_ == 0; }
  // Fills up the last byte with zeros; nothing is held then.
  std::uint8_t* finish() {
    filled_ = (filled_ + 7) & ~7u;
    flush();
    return at_;
  }

 private:
  std::uint8_t* at_;
  std::uint64_t held_ = 0;
  unsigned filled_ = 0;
};

}  // namespace pixmilter::render
