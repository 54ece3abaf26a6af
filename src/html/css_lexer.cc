#include "html/css_lexer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/ascii.h"
#include "html/css.h"

namespace pixmilter::html::css {
namespace {

constexpr std::size_t kBlock = 32;           // bytes judged at a time in bare URLs
constexpr int kMaxHexDigits = 6;             // of an escape
constexpr std::size_t kLongestUrlName = 32;  // "url" with each letter as a long escape

bool is_newline(char c) { return c == '\n' || c == '\r' || c == '\f'; }

constexpr bool is_name(char c) {
  return ascii::is_alnum(c) || c == '-' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
constexpr bool is_name_start(char c) {
  return ascii::is_alpha(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

// What ends a bare URL, or is an error or an escape in it.
constexpr std::array<bool, 256> make_url_stops() {
  std::array<bool, 256> stops{};
  for (unsigned c = 0; c <= ' '; ++c) stops[c] = true;
  for (const unsigned char c : {'"', '\'', '(', ')', '\\', '\x7F'}) stops[c] = true;
  return stops;
}
constexpr auto kUrlStops = make_url_stops();

// Up to the next of these. Blocks of what base64 and plain names are made of are crossed whole.
std::size_t skip_url_bytes(std::string_view text, std::size_t at) {
  for (;;) {
    for (; at + kBlock <= text.size(); at += kBlock) {
      const char* const block = text.data() + at;
      unsigned suspect = 0;
      for (std::size_t i = 0; i < kBlock; ++i) {
        const auto c = static_cast<unsigned char>(block[i]);
        suspect |= static_cast<unsigned>(c < '*') | static_cast<unsigned>(c == '\\') |
                   static_cast<unsigned>(c == 0x7F);
      }
      if (suspect != 0) break;
    }
    const std::size_t end = std::min(at + kBlock, text.size());
    while (at < end && !kUrlStops[static_cast<unsigned char>(text[at])]) ++at;
    if (at < end || at == text.size()) return at;
  }
}

}  // namespace

std::size_t CssLexer::find(std::string_view what, std::size_t from) {
  const std::size_t found = std::min(text_.find(what, from), text_.size());
  work_ += found - std::min(from, found);
  return found;
}

bool CssLexer::starts_ident() const {
  const char c = peek();
  if (is_name_start(c)) return true;
  if (c == '\\') return at_ + 1 < text_.size() && !is_newline(peek(1));
  if (c != '-') return false;
  const char next = peek(1);
  return is_name_start(next) || next == '-' ||
         (next == '\\' && at_ + 2 < text_.size() && !is_newline(peek(2)));
}

bool CssLexer::starts_number() const {
  std::size_t ahead = peek() == '+' || peek() == '-' ? 1 : 0;
  if (peek(ahead) == '.') ++ahead;
  return ascii::is_digit(peek(ahead));
}

// At a backslash that begins an escape.
void CssLexer::skip_escape() {
  ++at_;
  if (at_ == text_.size()) return;
  if (ascii::hex_value(peek()) < 0) {
    ++at_;
    return;
  }
  for (int digits = 0; digits < kMaxHexDigits && ascii::hex_value(peek()) >= 0; ++digits) ++at_;
  if (peek() == '\r' && peek(1) == '\n')
    at_ += 2;
  else if (at_ < text_.size() && ascii::is_space(peek()))
    ++at_;
}

void CssLexer::skip_name() {
  while (at_ < text_.size()) {
    if (is_name(text_[at_]))
      ++at_;
    else if (text_[at_] == '\\' && at_ + 1 < text_.size() && !is_newline(text_[at_ + 1]))
      skip_escape();
    else
      break;
  }
}

void CssLexer::skip_space() {
  while (at_ < text_.size() && ascii::is_space(text_[at_])) ++at_;
}

void CssLexer::read_number() {
  if (peek() == '+' || peek() == '-') ++at_;
  while (ascii::is_digit(peek())) ++at_;
  if (peek() == '.' && ascii::is_digit(peek(1))) {
    ++at_;
    while (ascii::is_digit(peek())) ++at_;
  }
  if (ascii::lower(peek()) == 'e' && (peek(1) == '+' || peek(1) == '-') && ascii::is_digit(peek(2))) {
    at_ += 2;
    while (ascii::is_digit(peek())) ++at_;
  }
  if (peek() == '%')
    ++at_;
  else if (starts_ident() || ascii::lower(peek()) == 'e')
    skip_name();
}

// At a quote. False: a line end cuts the string off, and stands next. One that was no quoted URL is asked for
// again, and not read again.
bool CssLexer::read_string(Range& content) {
  if (at_ != last_string_.begin) {
    last_string_.begin = at_;
    last_string_.whole = find_string_end(last_string_.content);
    last_string_.end = at_;
  }
  content = last_string_.content;
  at_ = last_string_.end;
  return last_string_.whole;
}

bool CssLexer::find_string_end(Range& content) {
  const char quote = text_[at_];
  content.begin = ++at_;
  // A string without escapes and line ends, such as a long data: URI, is crossed in three strides. That it
  // has no end is found out once for all that come after it.
  bool& none_left = none_left_[quote == '"' ? 0 : 1];
  const std::size_t close = none_left ? text_.size() : find({&quote, 1}, at_);
  none_left = close == text_.size();
  if (!none_left) {
    const std::string_view plain = text_.substr(at_, close - at_);
    work_ += plain.size();
    if (plain.find('\\') == std::string_view::npos && plain.find('\n') == std::string_view::npos &&
        plain.find('\r') == std::string_view::npos && plain.find('\f') == std::string_view::npos) {
      content.end = close;
      at_ = close + 1;
      return true;
    }
  }
  for (; at_ < text_.size(); ++at_, ++work_) {
    const char c = text_[at_];
    if (c == quote) {
      content.end = at_++;
      return true;
    }
    if (is_newline(c)) {
      content.end = at_;
      return false;
    }
    // An escaped line end goes on; of CR LF both.
    if (c == '\\' && at_ + 1 < text_.size()) {
      ++at_;
      if (text_[at_] == '\r' && peek(1) == '\n') ++at_;
    }
  }
  content.end = at_;
  return true;
}

// After "url(" and white space, at a quote. False, and nothing is read, where something else than ")"
// follows the string.
bool CssLexer::read_quoted_url(CssToken& token) {
  const std::size_t before = at_;
  if (read_string(token.content)) {
    for (;;) {
      skip_space();
      if (peek() != '/' || peek(1) != '*') break;
      at_ = std::min(find("*/", at_ + 2) + 2, text_.size());
    }
    if (at_ == text_.size() || text_[at_] == ')') {
      at_ = std::min(at_ + 1, text_.size());
      return true;
    }
  }
  at_ = before;
  return false;
}

void CssLexer::read_bare_url(CssToken& token) {
  const auto close = [&] { at_ = std::min(at_ + 1, text_.size()); };
  token.kind = Kind::url;
  token.content.begin = at_;
  for (;;) {
    at_ = skip_url_bytes(text_, at_);
    token.content.end = at_;
    if (at_ < text_.size() && ascii::is_space(text_[at_])) skip_space();
    if (at_ == text_.size() || text_[at_] == ')') return close();
    if (at_ != token.content.end || text_[at_] != '\\' || is_newline(peek(1))) break;
    skip_escape();
  }
  token.kind = Kind::bad_url;
  while (at_ < text_.size() && text_[at_] != ')') {
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
    ++at_;
  }
  close();
}

// At the start of an identifier.
void CssLexer::read_word(CssToken& token) {
  const std::size_t begin = at_;
  skip_name();
  token.kind = Kind::ident;
  if (peek() != '(') return;
  const std::string_view written = text_.substr(begin, at_ - begin);
  ++at_;
  token.kind = Kind::function;
  bool is_url = ascii::iequals(written, "url");
  if (!is_url && written.size() <= kLongestUrlName && written.find('\\') != std::string_view::npos) {
    std::string name;
    unescape(written, name);
    is_url = ascii::iequals(name, "url");
  }
  if (!is_url) return;
  const std::size_t inside = at_;
  skip_space();
  if (peek() != '"' && peek() != '\'') return read_bare_url(token);
  if (read_quoted_url(token))
    token.kind = Kind::url;
  else
    at_ = inside;
}

bool CssLexer::next(CssToken& token) {
  if (at_ >= text_.size()) return false;
  token = CssToken();
  token.range.begin = at_;
  const std::size_t begin = at_;
  const char c = text_[at_];
  if (ascii::is_space(c)) {
    token.kind = Kind::space;
    skip_space();
  } else if (c == '/' && peek(1) == '*') {
    token.kind = Kind::space;
    at_ = std::min(find("*/", at_ + 2) + 2, text_.size());
  } else if (c == '"' || c == '\'') {
    token.kind = read_string(token.content) ? Kind::string : Kind::bad_string;
  } else if (starts_number()) {
    token.kind = Kind::other_name;
    read_number();
  } else if (starts_ident()) {
    read_word(token);
  } else if (c == '#' && (is_name(peek(1)) || peek(1) == '\\')) {
    token.kind = Kind::other_name;
    ++at_;
    skip_name();
  } else if (c == '@') {
    ++at_;
    token.kind = starts_ident() ? Kind::at_keyword : Kind::mark;
    token.mark = c;
    if (token.kind == Kind::at_keyword) skip_name();
  } else {
    token.mark = c;
    ++at_;
  }
  token.range.end = at_;
  work_ += at_ - begin;
  return true;
}

}  // namespace pixmilter::html::css
