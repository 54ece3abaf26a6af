// Net: a block of addresses. NetSet: many of them at once, asked by hash look-ups instead of one by one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_set>

#include "base/result.h"

namespace pixmilter::config {

// An address block: "10.0.0.0/8", "2001:db8::/32", or one address.
class Net {
 public:
  static Result<Net> parse(std::string_view text);
  // address as an MTA writes it: v4, v6, "IPv6:…", or v4-mapped v6, which is judged as v4.
  bool contains(std::string_view address) const;

  bool operator==(const Net&) const = default;

 private:
  friend class NetSet;
  std::array<std::uint8_t, 16> bytes_{};  // v4 as v4-mapped v6
  int bits_ = 128;
};

// Blocks are filed by their length; a question takes one look-up for each length there is.
class NetSet {
 public:
  void insert(const Net& net);
  // Whether one of them contains the address, as Net has it.
  bool contains(std::string_view address) const;

 private:
  using Bytes = std::array<std::uint8_t, 16>;
  struct Hash {
    std::size_t operator()(const Bytes& bytes) const;
  };
  std::map<int, std::unordered_set<Bytes, Hash>> by_length_;  // in bits; what is behind them is 0
};

}  // namespace pixmilter::config
