// A reference has a scheme, and a scheme ends in a colon. So colons are looked at, with the letters before
// them as the tokenizer and the CSS scanner would read them; and whatever could write a letter or a colon
// another way, character references and CSS escapes, is taken for a reference unless it is plainly something
// else.
#include "html/scan_ahead.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "base/ascii.h"
#include "base/byte_search.h"

namespace pixmilter::html {
namespace {

// What URL parsers pass over within a URL, and what ends a character reference or a CSS escape.
bool may_be_passed_over(char c) { return c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

// Whether the letters before end spell the scheme, with anything that may be passed over between them.
bool ends_with_scheme(std::string_view bytes, std::size_t end, std::string_view scheme) {
  for (std::size_t left = scheme.size(); left > 0; --left) {
    while (end > 0 && may_be_passed_over(bytes[end - 1])) --end;
    if (end == 0 || ascii::lower(bytes[end - 1]) != scheme[left - 1]) return false;
    --end;
  }
  return true;
}

// The number of a character reference that begins with "&#"; one beyond Unicode for too many digits.
std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  constexpr std::uint32_t kMost = 0x110000;
  const bool hexadecimal = at < bytes.size() && (bytes[at] | 0x20) == 'x';
  std::uint32_t value = 0;
  for (at += hexadecimal; at < bytes.size(); ++at) {
    const int digit = ascii::hex_value(bytes[at]);
    if (digit < 0 || (digit > 9 && !hexadecimal)) break;
    value =
        std::min<std::uint32_t>(kMost, value * (hexadecimal ? 16 : 10) + static_cast<std::uint32_t>(digit));
  }
  return value;
}

// Letters and the colon, what URL parsers pass over, and the sign of an escape.
bool may_spell_a_scheme(std::uint32_t character) {
  if (character >= 0x80) return false;
  const auto c = static_cast<char>(character);
  return ascii::is_alpha(c) || c == ':' || c == '\\' || may_be_passed_over(c);
}

class Look {
 public:
  Look(std::string_view bytes, const Wanted& wanted) : bytes_(bytes), wanted_(wanted) {}

  bool finds_something() const {
    for (std::size_t at = 0; (at = find_any(bytes_, at, ':', '&', '\\')) < bytes_.size(); ++at)
      if (is_something(at)) return true;
    // Words of elements and attributes are never written another way.
    return contains_one_of(bytes_, "<svg", "pixmilter", "moz-do-not-send");
  }

 private:
  bool is_something(std::size_t at) const {
    switch (bytes_[at]) {
      case ':':
        return after_scheme(at);
      case '&':
        return is_reference(at + 1);
      default:
        return is_escape(at + 1);
    }
  }

  bool after_scheme(std::size_t end) const {
    const auto is = [&](std::string_view scheme) { return ends_with_scheme(bytes_, end, scheme); };
    return is("data") || (wanted_.parts && is("cid")) || (wanted_.links && (is("http") || is("https"))) ||
           (wanted_.files && (is("asset") || is("file")));
  }

  bool is_reference(std::size_t at) const {
    const std::string_view rest = bytes_.substr(at);
    if (rest.starts_with('#')) return may_spell_a_scheme(number_at(bytes_, at + 1));
    return rest.starts_with("colon") || rest.starts_with("Tab") || rest.starts_with("NewLine") ||
           rest.starts_with("bsol");
  }

  // CSS: hexadecimal digits are a character's number, a line end is nothing, all else is itself.
  bool is_escape(std::size_t at) const {
    if (at == bytes_.size()) return false;
    const char c = bytes_[at];
    return c == ':' ? after_scheme(at - 1) : ascii::is_alnum(c) || may_be_passed_over(c);
  }

  std::string_view bytes_;
  const Wanted& wanted_;
};

}  // namespace

bool may_hold_references(std::string_view bytes, const Wanted& wanted) {
  return Look(bytes, wanted).finds_something();
}

}  // namespace pixmilter::html
