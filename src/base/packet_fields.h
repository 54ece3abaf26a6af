// The fields of one packet between our own processes (base/socket.h), written and read.
//
// A packet is a kind byte and fields in a fixed order, little-endian. A protocol lists the fields of each
// message in one function that takes a writer or a reader (worker/wire.cc, source/fetch_wire.cc), so the two
// sides cannot disagree.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pixmilter {

struct PacketLimits {
  std::size_t message = 0;  // bytes of a whole packet; a longer one is no good
  std::size_t text = 0;     // bytes of one text; writing cuts it. At most 65535
};

class PacketWriter {
 public:
  PacketWriter(std::uint8_t kind, PacketLimits limits) : limits_(limits) { number(kind); }

  template <std::unsigned_integral T>
  void number(const T& value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) out_.push_back(static_cast<char>(value >> (8 * i)));
  }
  void flag(const bool& value) { number(static_cast<std::uint8_t>(value)); }
  void real(const double& value) { number(std::bit_cast<std::uint64_t>(value)); }
  template <class E>
  void choice(const E& value, E) {
    number(static_cast<std::uint8_t>(value));
  }
  void text(const std::string& value) {
    const std::string_view cut = std::string_view(value).substr(0, limits_.text);
    number(static_cast<std::uint16_t>(cut.size()));
    out_.append(cut);
  }
  // Whoever writes it has seen to it that it is not longer.
  void bytes(const std::string& value, std::size_t) {
    number(static_cast<std::uint32_t>(value.size()));
    out_.append(value);
  }
  std::string take() { return std::move(out_); }

 private:
  const PacketLimits limits_;
  std::string out_;
};

// After the first field that is not there or not allowed, everything reads as zero and ended() is false.
class PacketReader {
 public:
  PacketReader(std::string_view packet, std::uint8_t kind, PacketLimits limits)
      : rest_(packet), limits_(limits) {
    std::uint8_t first = 0;
    number(first);
    good_ = good_ && packet.size() <= limits_.message && first == kind;
  }

  template <std::unsigned_integral T>
  void number(T& value) {
    value = 0;
    if (!take_at_least(sizeof(T))) return;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value = static_cast<T>(value |
                             static_cast<T>(static_cast<T>(static_cast<std::uint8_t>(rest_[i])) << (8 * i)));
    rest_.remove_prefix(sizeof(T));
  }
  void flag(bool& value) {
    std::uint8_t byte = 0;
    number(byte);
    good_ = good_ && byte <= 1;
    value = good_ && byte == 1;
  }
  void real(double& value) {
    std::uint64_t bits = 0;
    number(bits);
    value = std::bit_cast<double>(bits);
  }
  template <class E>
  void choice(E& value, E last) {
    std::uint8_t byte = 0;
    number(byte);
    good_ = good_ && byte <= static_cast<std::uint8_t>(last);
    value = good_ ? static_cast<E>(byte) : E{};
  }
  void text(std::string& value) {
    std::uint16_t size = 0;
    number(size);
    good_ = good_ && size <= limits_.text;
    value.clear();
    if (!take_at_least(size)) return;
    value.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  void bytes(std::string& value, std::size_t most) {
    std::uint32_t size = 0;
    number(size);
    good_ = good_ && size <= most;
    value.clear();
    if (!take_at_least(size)) return;
    value.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  bool ended() const { return good_ && rest_.empty(); }

 private:
  bool take_at_least(std::size_t size) {
    good_ = good_ && rest_.size() >= size;
    return good_;
  }
  std::string_view rest_;
  const PacketLimits limits_;
  bool good_ = true;
};

}  // namespace pixmilter
