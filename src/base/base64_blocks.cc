#include "base/base64_blocks.h"

#ifdef __x86_64__

#include <immintrin.h>

namespace pixmilter::base64 {
namespace {

#define PIXMILTER_AVX2 __attribute__((target("avx2")))

constexpr std::size_t kCharacters = 32;
constexpr std::size_t kBytes = 24;
constexpr std::size_t kRead = 28;  // bytes of the input that a block of 24 looks at

// Ones where low <= c <= high; bytes beyond ASCII are negative and in no range.
PIXMILTER_AVX2 inline __m256i within(__m256i c, char low, char high) {
  return _mm256_and_si256(_mm256_cmpgt_epi8(c, _mm256_set1_epi8(static_cast<char>(low - 1))),
                          _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(high + 1)), c));
}

PIXMILTER_AVX2 inline __m256i where(__m256i mask, int value) {
  return _mm256_and_si256(mask, _mm256_set1_epi8(static_cast<char>(value)));
}

PIXMILTER_AVX2 inline __m128i sixteen(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

PIXMILTER_AVX2 inline __m256i both(__m256i a, __m256i b) { return _mm256_or_si256(a, b); }

// Adds to valid's zeros where c is no character of the alphabet; gives what the 32 characters stand for in
// the lower 24 bytes.
PIXMILTER_AVX2 inline __m256i decode_block(__m256i c, __m256i& valid) {
  // Of each four bytes the three that are meant, in the order of the text.
  const __m256i order = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6,
                                         5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  const __m256i together = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7);
  const __m256i upper = within(c, 'A', 'Z'), lower = within(c, 'a', 'z'), digit = within(c, '0', '9');
  const __m256i plus = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('+'));
  const __m256i slash = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('/'));
  valid = _mm256_and_si256(valid, both(both(both(upper, lower), digit), both(plus, slash)));
  const __m256i shift =
      both(both(where(upper, -'A'), where(lower, 26 - 'a')),
           both(where(digit, 52 - '0'), both(where(plus, 62 - '+'), where(slash, 63 - '/'))));
  const __m256i sextets = _mm256_add_epi8(c, shift);
  // Pairs to 12 bits, pairs of those to 24.
  const __m256i pairs = _mm256_maddubs_epi16(sextets, _mm256_set1_epi16(0x0140));
  const __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
  return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(groups, order), together);
}

// The 32 characters for 24 of the 28 bytes at in.
PIXMILTER_AVX2 inline __m256i encode_block(const char* in) {
  // Each group of three bytes a b c as b a c b, so that every sextet lies within one 16-bit number.
  const __m256i order = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 1, 0, 2, 1, 4, 3,
                                         5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  const __m256i groups = _mm256_shuffle_epi8(_mm256_set_m128i(sixteen(in + 12), sixteen(in)), order);
  // The first and third sextet are shifted down by a product's upper half, the second and fourth up by its
  // lower.
  const __m256i odd = _mm256_mulhi_epu16(_mm256_and_si256(groups, _mm256_set1_epi32(0x0FC0FC00)),
                                         _mm256_set1_epi32(0x04000040));
  const __m256i even = _mm256_mullo_epi16(_mm256_and_si256(groups, _mm256_set1_epi32(0x003F03F0)),
                                          _mm256_set1_epi32(0x01000010));
  const __m256i sextets = both(odd, even);
  const __m256i shift =
      both(both(where(within(sextets, 0, 25), 'A'), where(within(sextets, 26, 51), 'a' - 26)),
           both(where(within(sextets, 52, 61), '0' - 52),
                both(where(within(sextets, 62, 62), '+' - 62), where(within(sextets, 63, 63), '/' - 63))));
  return _mm256_add_epi8(sextets, shift);
}

PIXMILTER_AVX2 inline __m256i load(const char* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}
PIXMILTER_AVX2 inline void store(char* at, __m256i value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), value);
}

// A line is three blocks, of which the last overlaps the one before: 32 characters are 24 bytes.
constexpr std::size_t kLineCharacters = 76, kLineBytes = 57;
constexpr std::size_t kLastCharacters = kLineCharacters - kCharacters, kLastBytes = kLineBytes - kBytes;

}  // namespace

bool has_blocks() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

PIXMILTER_AVX2 std::size_t decode_blocks(const char* in, std::size_t size, char* out) {
  std::size_t at = 0;
  for (; at + kCharacters <= size; at += kCharacters, out += kBytes) {
    __m256i valid = _mm256_set1_epi8(-1);
    const __m256i bytes = decode_block(load(in + at), valid);
    if (_mm256_movemask_epi8(valid) != -1) break;
    store(out, bytes);
  }
  return at;
}

PIXMILTER_AVX2 std::size_t decode_lines(const char* in, std::size_t size, std::size_t max_lines, char* out,
                                        std::size_t& lines) {
  std::size_t at = 0;
  for (lines = 0; lines < max_lines && at + kLineCharacters + 2 <= size; ++lines, out += kLineBytes) {
    const char* line = in + at;
    const std::size_t eol = line[kLineCharacters] == '\n'                                        ? 1
                            : line[kLineCharacters] == '\r' && line[kLineCharacters + 1] == '\n' ? 2
                                                                                                 : 0;
    if (eol == 0) break;
    __m256i valid = _mm256_set1_epi8(-1);
    const __m256i first = decode_block(load(line), valid);
    const __m256i second = decode_block(load(line + kCharacters), valid);
    const __m256i last = decode_block(load(line + kLastCharacters), valid);
    if (_mm256_movemask_epi8(valid) != -1) break;
    store(out, first);
    store(out + kBytes, second);
    store(out + kLastBytes, last);
    at += kLineCharacters + eol;
  }
  return at;
}

PIXMILTER_AVX2 std::size_t encode_blocks(const char* in, std::size_t size, char* out) {
  std::size_t at = 0;
  for (; at + kRead <= size; at += kBytes, out += kCharacters) store(out, encode_block(in + at));
  return at;
}

PIXMILTER_AVX2 std::size_t encode_whole_lines(const char* in, std::size_t size, std::size_t max_lines,
                                              std::string_view eol, char* out) {
  std::size_t lines = 0;
  for (; lines < max_lines && size >= kLastBytes + kRead; ++lines, in += kLineBytes, size -= kLineBytes) {
    store(out, encode_block(in));
    store(out + kCharacters, encode_block(in + kBytes));
    store(out + kLastCharacters, encode_block(in + kLastBytes));
    out += kLineCharacters;
    for (const char c : eol) *out++ = c;
  }
  return lines;
}

}  // namespace pixmilter::base64

#else

namespace pixmilter::base64 {

bool has_blocks() { return false; }
std::size_t decode_blocks(const char*, std::size_t, char*) { return 0; }
std::size_t decode_lines(const char*, std::size_t, std::size_t, char*, std::size_t& lines) {
  return lines = 0;
}
std::size_t encode_blocks(const char*, std::size_t, char*) { return 0; }
std::size_t encode_whole_lines(const char*, std::size_t, std::size_t, std::string_view, char*) { return 0; }

}  // namespace pixmilter::base64

#endif
