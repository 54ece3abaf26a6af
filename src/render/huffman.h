// Huffman codes as deflate wants them (RFC 1951, 3.2.2): limited in length, canonical, sent from the top bit.
#pragma once

#include <cstdint>
#include <span>

namespace pixmilter::render {

// The most symbols that a code is made for.
inline constexpr std::size_t kMaxSymbols = 288;

// Bits for each symbol, 0 where it does not occur, at most limit; the sum of 2^-length is 1, or one symbol
// has length 1. counts and lengths are of one size; counts stay below 2^23, and 2^limit above their number.
void huffman_lengths(std::span<const std::uint32_t> counts, unsigned limit, std::span<std::uint8_t> lengths);

// The code of each symbol with its bits turned round, ready for a BitWriter.
void huffman_codes(std::span<const std::uint8_t> lengths, std::span<std::uint16_t> codes);

}  // namespace pixmilter::render
