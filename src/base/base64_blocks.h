// Blocks of base64 at once, where the processor can (AVX2): what base64.cc does group by group, and held
// against it by test. Whoever calls deals with what is left.
#pragma once

#include <cstddef>

namespace pixmilter::base64 {

// Whether this processor has the instructions; the functions below are for no other.
bool has_blocks();

// Bytes that may be written behind what a call says that it wrote.
inline constexpr std::size_t kBlockSlack = 8;

// Decodes blocks of 32 characters to 24 bytes, up to the first block with a character outside the standard
// alphabet. Gives the characters that were read. out: 3/4 of size and kBlockSlack.
std::size_t decode_blocks(const char* in, std::size_t size, char* out);

// Encodes blocks of 24 bytes to 32 characters. Gives the bytes that were read: all but the last 4 to 27.
std::size_t encode_blocks(const char* in, std::size_t size, char* out);

}  // namespace pixmilter::base64
