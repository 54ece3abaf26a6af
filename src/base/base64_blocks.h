// Blocks of base64 at once, where the processor can (AVX2): what base64.cc does group by group, and held
// against it by test. Whoever calls deals with what is left.
#pragma once

#include <cstddef>
#include <string_view>

namespace pixmilter::base64 {

// Whether this processor has the instructions; the functions below are for no other.
bool has_blocks();

// Bytes that may be written behind what a call says that it wrote.
inline constexpr std::size_t kBlockSlack = 8;

// Decodes blocks of 32 characters to 24 bytes, up to the first block with a character outside the standard
// alphabet. Gives the characters that were read. out: 3/4 of size and kBlockSlack.
std::size_t decode_blocks(const char* in, std::size_t size, char* out);

// Decodes whole lines of 76 characters, each with its CRLF or LF, to 57 bytes each, up to the first that is
// something else. Gives the characters that were read and, in lines, how many lines that were. out: 57 bytes
// for each of at most max_lines, and kBlockSlack.
std::size_t decode_lines(const char* in, std::size_t size, std::size_t max_lines, char* out,
                         std::size_t& lines);

// Encodes lines of 57 bytes to 76 characters and eol each, as long as 4 more bytes follow a line. Gives the
// lines that were made. out: 76 characters and eol for each of at most max_lines.
std::size_t encode_whole_lines(const char* in, std::size_t size, std::size_t max_lines, std::string_view eol,
                               char* out);

// Encodes blocks of 24 bytes to 32 characters. Gives the bytes that were read: all but the last 4 to 27.
std::size_t encode_blocks(const char* in, std::size_t size, char* out);

}  // namespace pixmilter::base64
