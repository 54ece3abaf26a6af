// The longest name wins, so a name is matched byte by byte in the sorted table, narrowing the range of
// candidates and remembering the last that was complete.
#include "html/entities.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "base/ascii.h"
#include "html/entities_table.h"

namespace pixmilter::html {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kLastCodePoint = 0x10FFFF;

// What numeric references in the C1 range mean: windows-1252, as the standard's table says.
constexpr std::array<char16_t, 32> kC1 = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                          0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                          0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                          0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

std::string_view entry_name(std::size_t index) {
  const std::size_t begin = index == 0 ? 0 : entities::kNameEnds[index - 1];
  return {entities::kNames + begin, entities::kNameEnds[index] - begin};
}

std::string_view entry_value(std::size_t index) {
  const std::size_t begin = index == 0 ? 0 : entities::kValueEnds[index - 1];
  return {entities::kValues + begin, entities::kValueEnds[index] - begin};
}

// Where names with each first letter begin; one past the end for the letter after the last.
struct FirstLetters {
  std::array<std::uint16_t, 129> begin{};
  FirstLetters() {
    std::size_t index = 0;
    for (std::size_t letter = 0; letter < 128; ++letter) {
      begin[letter] = static_cast<std::uint16_t>(index);
      while (index < entities::kCount && entry_name(index)[0] == static_cast<char>(letter)) ++index;
    }
    begin[128] = static_cast<std::uint16_t>(index);
  }
};

// The entry whose name is the longest prefix of text; kCount when there is none.
std::size_t find_longest(std::string_view text) {
  static const FirstLetters letters;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first >= 128) return entities::kCount;
  std::size_t low = letters.begin[first];
  std::size_t high = letters.begin[first + 1U];
  std::size_t best = entities::kCount;
  for (std::size_t length = 1; low < high; ++length) {
    // Names in [low, high) share the first `length` bytes of text; the shortest of them stands first.
    if (entry_name(low).size() == length) best = low++;
    if (length >= text.size()) break;
    const auto byte = static_cast<unsigned char>(text[length]);
    std::size_t count = high - low;
    while (count > 0) {
      const std::size_t half = count / 2;
      if (static_cast<unsigned char>(entry_name(low + half)[length]) < byte) {
        low += half + 1;
        count -= half + 1;
      } else {
        count = half;
      }
    }
    std::size_t end = low;
    count = high - low;
    while (count > 0) {
      const std::size_t half = count / 2;
      if (static_cast<unsigned char>(entry_name(end + half)[length]) <= byte) {
        end += half + 1;
        count -= half + 1;
      } else {
        count = half;
      }
    }
    high = end;
  }
  return best;
}

char32_t sanitize(char32_t code) {
  if (code == 0 || code > kLastCodePoint || (code >= 0xD800 && code <= 0xDFFF)) return kReplacement;
  if (code >= 0x80 && code <= 0x9F) return kC1[code - 0x80];
  return code;
}

std::size_t decode_numeric(std::string_view text, std::string& out) {
  std::size_t at = 2;
  const bool hexadecimal = at < text.size() && ascii::lower(text[at]) == 'x';
  if (hexadecimal) ++at;
  const std::size_t digits = at;
  char32_t code = 0;
  for (; at < text.size(); ++at) {
    const int value = hexadecimal                 ? ascii::hex_value(text[at])
                      : ascii::is_digit(text[at]) ? text[at] - '0'
                                                  : -1;
    if (value < 0) break;
    if (code <= kLastCodePoint) code = code * (hexadecimal ? 16 : 10) + static_cast<char32_t>(value);
  }
  if (at == digits) return 0;
  if (at < text.size() && text[at] == ';') ++at;
  append_utf8(sanitize(code), out);
  return at;
}

}  // namespace

void append_utf8(char32_t code_point, std::string& out) {
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code_point >> 6));
    out.push_back(static_cast<char>(0x80 | (code_point & 0x3F)));
  } else if (code_point < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code_point >> 12));
    out.push_back(static_cast<char>(0x80 | (code_point >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code_point & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | code_point >> 18));
    out.push_back(static_cast<char>(0x80 | (code_point >> 12 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code_point >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code_point & 0x3F)));
  }
}

std::size_t decode_reference(std::string_view text, ReferenceContext context, std::string& out) {
  if (text.size() < 2) return 0;
  if (text[1] == '#') return decode_numeric(text, out);
  if (!ascii::is_alnum(text[1])) return 0;
  const std::size_t index = find_longest(text.substr(1));
  if (index == entities::kCount) return 0;
  const std::string_view name = entry_name(index);
  const std::size_t end = 1 + name.size();
  if (context == ReferenceContext::attribute && name.back() != ';' && end < text.size() &&
      (text[end] == '=' || ascii::is_alnum(text[end])))
    return 0;
  out.append(entry_value(index));
  return end;
}

void decode_references(std::string_view text, ReferenceContext context, std::string& out) {
  while (!text.empty()) {
    const auto* amp = static_cast<const char*>(std::memchr(text.data(), '&', text.size()));
    const std::size_t run = amp != nullptr ? static_cast<std::size_t>(amp - text.data()) : text.size();
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) break;
    const std::size_t taken = decode_reference(text, context, out);
    if (taken == 0) out.push_back('&');
    text.remove_prefix(std::max<std::size_t>(taken, 1));
  }
}

void Decoded::assign(std::string_view source, ReferenceContext context) {
  text_.clear();
  steps_.clear();
  std::size_t at = 0;
  while (at < source.size()) {
    const auto* amp = static_cast<const char*>(std::memchr(source.data() + at, '&', source.size() - at));
    const std::size_t end = amp != nullptr ? static_cast<std::size_t>(amp - source.data()) : source.size();
    if (end > at) steps_.push_back({text_.size(), at, false});
    text_.append(source.substr(at, end - at));
    at = end;
    if (at == source.size()) break;
    const std::size_t before = text_.size();
    const std::size_t taken = decode_reference(source.substr(at), context, text_);
    steps_.push_back({before, at, taken > 0});
    if (taken == 0) text_.push_back('&');
    at += std::max<std::size_t>(taken, 1);
  }
  steps_.push_back({text_.size(), source.size(), false});
}

std::size_t Decoded::source_offset(std::size_t offset) const {
  const auto after =
      std::upper_bound(steps_.begin(), steps_.end(), offset,
                       [](std::size_t value, const Step& step) { return value < step.decoded; });
  if (after == steps_.begin()) return offset;
  const Step& step = *std::prev(after);
  return step.reference ? step.source : step.source + (offset - step.decoded);
}

}  // namespace pixmilter::html
