#include "html/shifted.h"

#include <cstddef>
#include <utility>

namespace pixmilter::html {
namespace {

constexpr char kEscape = '\x1B';
constexpr char kShiftOut = '\x0E';
constexpr char kShiftIn = '\x0F';
constexpr char kKatakana = '\x8E';       // EUC-JP: half-width katakana follows
constexpr char kSupplementary = '\x8F';  // EUC-JP: JIS X 0212 follows

char high(char c) { return static_cast<char>(static_cast<unsigned char>(c) | 0x80U); }
bool is_graphic(char c) { return c > ' ' && c < '\x7F'; }

// What graphic characters mean at present.
enum class Set { ascii, two_bytes, katakana, supplementary };

// Appends the character at the front of text in the eight-bit set and returns its bytes.
std::size_t take(std::string_view text, Set set, std::string& out) {
  if (set == Set::ascii || !is_graphic(text.front())) {
    out.push_back(text.front());
    return 1;
  }
  if (set == Set::katakana) {
    out += {kKatakana, high(text.front())};
    return 1;
  }
  if (set == Set::supplementary) out.push_back(kSupplementary);
  out.push_back(high(text.front()));
  if (text.size() < 2) return 1;
  out.push_back(is_graphic(text[1]) ? high(text[1]) : text[1]);
  return 2;
}

Result<std::string> from_iso_2022_jp(std::string_view text) {
  constexpr std::pair<std::string_view, Set> kEscapes[] = {
      {"\x1B(B", Set::ascii},     {"\x1B(J", Set::ascii},     {"\x1B(H", Set::ascii},
      {"\x1B$@", Set::two_bytes}, {"\x1B$B", Set::two_bytes}, {"\x1B$(D", Set::supplementary},
      {"\x1B(I", Set::katakana},  {"\x1B$(B", Set::two_bytes}};
  std::string out;
  Set set = Set::ascii;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (rest.front() == kEscape) {
      std::size_t length = 0;
      for (const auto& [escape, meaning] : kEscapes) {
        if (!rest.starts_with(escape)) continue;
        set = meaning;
        length = escape.size();
      }
      if (length == 0) return Error{"byte " + std::to_string(at) + " is no escape of ISO-2022-JP"};
      at += length;
      continue;
    }
    // A line begins in ASCII, whatever the one before it ended in.
    if (rest.front() == '\n') set = Set::ascii;
    at += take(rest, set, out);
  }
  return out;
}

Result<std::string> from_iso_2022_kr(std::string_view text) {
  constexpr std::string_view kHeader = "\x1B$)C";
  std::string out;
  Set set = Set::ascii;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with(kHeader)) {
      at += kHeader.size();
    } else if (rest.front() == kEscape) {
      return Error{"byte " + std::to_string(at) + " is no escape of ISO-2022-KR"};
    } else if (rest.front() == kShiftOut || rest.front() == kShiftIn) {
      set = rest.front() == kShiftOut ? Set::two_bytes : Set::ascii;
      ++at;
    } else {
      if (rest.front() == '\n') set = Set::ascii;
      at += take(rest, set, out);
    }
  }
  return out;
}

Result<std::string> from_hz(std::string_view text) {
  std::string out;
  Set set = Set::ascii;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (set == Set::ascii && rest.starts_with("~{")) {
      set = Set::two_bytes;
      at += 2;
    } else if (set == Set::two_bytes && rest.starts_with("~}")) {
      set = Set::ascii;
      at += 2;
    } else if (set == Set::ascii && rest.starts_with("~~")) {
      out.push_back('~');
      at += 2;
    } else if (set == Set::ascii && rest.starts_with("~\n")) {
      at += 2;
    } else {
      if (rest.front() == '\n') set = Set::ascii;
      at += take(rest, set, out);
    }
  }
  return out;
}

}  // namespace

Result<std::string> unshift(std::string_view text, Shifted charset) {
  switch (charset) {
    case Shifted::iso_2022_jp:
      return from_iso_2022_jp(text);
    case Shifted::iso_2022_kr:
      return from_iso_2022_kr(text);
    case Shifted::hz:
      return from_hz(text);
  }
  return Error{"unknown charset"};
}

}  // namespace pixmilter::html
