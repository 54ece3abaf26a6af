// Sixteen bytes at a time where the processor is an x86-64, which always can.
#include "base/byte_search.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/ascii.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace pixmilter {
namespace {

#ifdef __SSE2__
constexpr std::size_t kBlock = 16;

__m128i sixteen(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

std::uint64_t where(__m128i c, char byte) {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(c, _mm_set1_epi8(byte))));
}

// One bit for each of 64 bytes that is this one.
std::uint64_t where(const __m128i (&c)[4], char byte) {
  return where(c[0], byte) | where(c[1], byte) << 16 | where(c[2], byte) << 32 | where(c[3], byte) << 48;
}

// Where this letter stands, whatever its case. The bit of case is set on both sides: what is no letter may
// then look like another, which a comparison sorts out.
__m128i letters(const char* at, char letter) {
  const __m128i letter_case = _mm_set1_epi8(0x20);
  return _mm_cmpeq_epi8(_mm_or_si128(sixteen(at), letter_case),
                        _mm_set1_epi8(static_cast<char>(letter | 0x20)));
}

// Whether a byte is there that is no greater than CR: line ends and NUL are among them.
bool any_control(const __m128i (&c)[4]) {
  const __m128i least = _mm_min_epu8(_mm_min_epu8(c[0], c[1]), _mm_min_epu8(c[2], c[3]));
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(least, _mm_set1_epi8('\r')), least);
  return _mm_movemask_epi8(low) != 0;
}
#endif

template <class... Byte>
std::size_t find_one_of(std::string_view text, std::size_t from, Byte... wanted) {
  std::size_t at = from;
#ifdef __SSE2__
  for (; at + kBlock <= text.size(); at += kBlock) {
    const __m128i c = sixteen(text.data() + at);
    if (const std::uint64_t mask = (where(c, wanted) | ...); mask != 0)
      return at + static_cast<std::size_t>(std::countr_zero(mask));
  }
#endif
  while (at < text.size() && ((text[at] != wanted) && ...)) ++at;
  return std::min(at, text.size());
}

}  // namespace

std::size_t find_either(std::string_view text, std::size_t from, char a, char b) {
  return find_one_of(text, from, a, b);
}

std::size_t find_any(std::string_view text, std::size_t from, char a, char b, char c) {
  return find_one_of(text, from, a, b, c);
}

std::size_t find_pair(std::string_view text, std::size_t from, char a, char b) {
  std::size_t at = from;
#ifdef __SSE2__
  const __m128i first = _mm_set1_epi8(a);
  const __m128i second = _mm_set1_epi8(b);
  const auto pairs = [&](std::size_t i) {
    return _mm_and_si128(_mm_cmpeq_epi8(sixteen(text.data() + i), first),
                         _mm_cmpeq_epi8(sixteen(text.data() + i + 1), second));
  };
  // Most texts hold none: four blocks with one look.
  while (at + 4 * kBlock + 1 <= text.size()) {
    const __m128i hit[4] = {pairs(at), pairs(at + kBlock), pairs(at + 2 * kBlock), pairs(at + 3 * kBlock)};
    if (_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(hit[0], hit[1]), _mm_or_si128(hit[2], hit[3]))) != 0)
      break;
    at += 4 * kBlock;
  }
  for (; at + kBlock + 1 <= text.size(); at += kBlock)
    if (const auto mask = static_cast<unsigned>(_mm_movemask_epi8(pairs(at))); mask != 0)
      return at + static_cast<std::size_t>(std::countr_zero(mask));
#endif
  for (; at + 1 < text.size(); ++at)
    if (text[at] == a && text[at + 1] == b) return at;
  return text.size();
}

std::size_t find_word(std::string_view text, std::size_t from, std::string_view word) {
  if (text.size() < word.size()) return text.size();
  const std::size_t last = text.size() - word.size();  // where it could begin at the latest
  std::size_t at = from;
#ifdef __SSE2__
  // Its first three bytes at sixteen places at once.
  for (; at + kBlock + 2 <= text.size() && at <= last; at += kBlock) {
    const char* here = text.data() + at;
    const __m128i hit = _mm_and_si128(_mm_and_si128(letters(here, word[0]), letters(here + 1, word[1])),
                                      letters(here + 2, word[2]));
    for (auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit)); mask != 0; mask &= mask - 1) {
      const std::size_t found = at + static_cast<std::size_t>(std::countr_zero(mask));
      if (found <= last && ascii::iequals(text.substr(found, word.size()), word)) return found;
    }
  }
#endif
  for (; at <= last; ++at)
    if (ascii::iequals(text.substr(at, word.size()), word)) return at;
  return text.size();
}

bool contains_one_of(std::string_view text, std::string_view a, std::string_view b, std::string_view c) {
  const auto stands = [&](std::size_t at, std::string_view word) {
    return at <= text.size() && ascii::iequals(text.substr(at, word.size()), word);
  };
  std::size_t at = 0;
#ifdef __SSE2__
  // The third and the fourth byte of each at sixteen places at once.
  const auto pair = [](const char* here, std::string_view word) {
    return _mm_and_si128(letters(here + 2, word[2]), letters(here + 3, word[3]));
  };
  for (; at + kBlock + 3 <= text.size(); at += kBlock) {
    const char* here = text.data() + at;
    const __m128i hit = _mm_or_si128(_mm_or_si128(pair(here, a), pair(here, b)), pair(here, c));
    for (auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit)); mask != 0; mask &= mask - 1) {
      const std::size_t found = at + static_cast<std::size_t>(std::countr_zero(mask));
      if (stands(found, a) || stands(found, b) || stands(found, c)) return true;
    }
  }
#endif
  for (; at < text.size(); ++at)
    if (stands(at, a) || stands(at, b) || stands(at, c)) return true;
  return false;
}

bool has_blank_before_line_end(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  const auto either = [](const char* from, char a, char b) {
    const __m128i c = sixteen(from);
    return _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8(a)), _mm_cmpeq_epi8(c, _mm_set1_epi8(b)));
  };
  const auto hits = [&](std::size_t i) {
    const char* from = text.data() + i;
    return _mm_and_si128(either(from, ' ', '\t'), either(from + 1, '\r', '\n'));
  };
  for (; at + 4 * kBlock + 1 <= text.size(); at += 4 * kBlock) {
    const __m128i first = _mm_or_si128(hits(at), hits(at + kBlock));
    const __m128i second = _mm_or_si128(hits(at + 2 * kBlock), hits(at + 3 * kBlock));
    if (_mm_movemask_epi8(_mm_or_si128(first, second)) != 0) return true;
  }
#endif
  for (; at + 1 < text.size(); ++at)
    if (ascii::is_blank(text[at]) && (text[at + 1] == '\r' || text[at + 1] == '\n')) return true;
  return false;
}

bool is_ascii(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  for (; at + 4 * kBlock <= text.size(); at += 4 * kBlock) {
    const char* from = text.data() + at;
    const __m128i any = _mm_or_si128(_mm_or_si128(sixteen(from), sixteen(from + 16)),
                                     _mm_or_si128(sixteen(from + 32), sixteen(from + 48)));
    if (_mm_movemask_epi8(any) != 0) return false;
  }
#endif
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool has_only_crlf_lines(std::string_view text) {
  std::size_t at = 0;
  bool after_cr = false;
#ifdef __SSE2__
  for (; at + 4 * kBlock <= text.size(); at += 4 * kBlock) {
    const char* from = text.data() + at;
    const __m128i c[4] = {sixteen(from), sixteen(from + 16), sixteen(from + 32), sixteen(from + 48)};
    if (!after_cr && !any_control(c)) continue;
    const std::uint64_t cr = where(c, '\r');
    if (where(c, '\0') != 0 || where(c, '\n') != (cr << 1 | static_cast<std::uint64_t>(after_cr)))
      return false;
    after_cr = cr >> 63 != 0;
  }
#endif
  for (; at < text.size(); ++at) {
    if (text[at] == '\0' || (text[at] == '\n') != after_cr) return false;
    after_cr = text[at] == '\r';
  }
  return !after_cr;
}

}  // namespace pixmilter
