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

}  // namespace

bool has_blocks() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

PIXMILTER_AVX2 std::size_t decode_blocks(const char* in, std::size_t size, char* out) {
  // Of each four bytes the three that are meant, in the order of the text.
  const __m256i order = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6,
                                         5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  const __m256i together = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7);
  std::size_t at = 0;
  for (; at + kCharacters <= size; at += kCharacters, out += kBytes) {
    const __m256i c = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + at));
    const __m256i upper = within(c, 'A', 'Z'), lower = within(c, 'a', 'z'), digit = within(c, '0', '9');
    const __m256i plus = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('+'));
    const __m256i slash = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('/'));
    if (_mm256_movemask_epi8(both(both(both(upper, lower), digit), both(plus, slash))) != -1) break;
    const __m256i shift =
        both(both(where(upper, -'A'), where(lower, 26 - 'a')),
             both(where(digit, 52 - '0'), both(where(plus, 62 - '+'), where(slash, 63 - '/'))));
    const __m256i sextets = _mm256_add_epi8(c, shift);
    // Pairs to 12 bits, pairs of those to 24.
    const __m256i pairs = _mm256_maddubs_epi16(sextets, _mm256_set1_epi16(0x0140));
    const __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
    const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(groups, order), together);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bytes);
  }
  return at;
}

PIXMILTER_AVX2 std::size_t encode_blocks(const char* in, std::size_t size, char* out) {
  // Each group of three bytes a b c as b a c b, so that every sextet lies within one 16-bit number.
  const __m256i order = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 1, 0, 2, 1, 4, 3,
                                         5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  std::size_t at = 0;
  for (; at + kRead <= size; at += kBytes, out += kCharacters) {
    const __m256i groups =
        _mm256_shuffle_epi8(_mm256_set_m128i(sixteen(in + at + 12), sixteen(in + at)), order);
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
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_add_epi8(sextets, shift));
  }
  return at;
}

}  // namespace pixmilter::base64

#else

namespace pixmilter::base64 {

bool has_blocks() { return false; }
std::size_t decode_blocks(const char*, std::size_t, char*) { return 0; }
std::size_t encode_blocks(const char*, std::size_t, char*) { return 0; }

}  // namespace pixmilter::base64

#endif
