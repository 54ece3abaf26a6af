#include "html/css.h"

#include <algorithm>

#include "base/ascii.h"
#include "html/css_lexer.h"
#include "html/entities.h"

namespace pixmilter::html::css {
namespace {

constexpr int kMaxHexDigits = 6;
constexpr std::size_t kLongestKnownName = 32;
constexpr std::size_t kLongestEscapedName = 8 * kLongestKnownName;

// Properties whose URLs are no images.
bool names_something_else(std::string_view property) {
  for (const std::string_view name :
       {"behavior", "-ms-behavior", "-moz-binding", "filter", "-webkit-filter", "-ms-filter",
        "backdrop-filter", "clip-path", "-webkit-clip-path", "fill", "stroke", "marker", "marker-start",
        "marker-mid", "marker-end", "src"})
    if (ascii::iequals(property, name)) return true;
  return false;
}

// A name with its escapes resolved; far too long ones, which we know none of, as written.
std::string name_of(std::string_view written) {
  std::string out;
  if (written.size() > kLongestEscapedName) return out;
  unescape(written, out);
  return out;
}

// Where in a style sheet the scanner stands.
class Finder {
 public:
  Finder(std::string_view css, std::vector<Image>& out) : css_(css), out_(out) {}
  std::size_t run();

 private:
  std::string_view view(const Range& range) const { return css_.substr(range.begin, range.size()); }
  void read(const CssToken& token);
  void read_mark(char mark);
  void start_statement() {
    at_start_ = true;
    in_prelude_ = false;
    property_ = {};
    functions_.clear();
  }
  void add(const CssToken& token, bool is_string);
  // A bare string counts here.
  bool in_image_set() const { return !functions_.empty() && functions_.back(); }

  std::string_view css_;
  std::vector<Image>& out_;
  bool at_start_ = true;         // nothing of a statement has been read yet
  bool in_prelude_ = false;      // between an at-keyword and its block or semicolon
  bool font_face_next_ = false;  // the prelude is that of @font-face
  std::size_t left_block_ = 0;   // open braces within a block that is left alone
  std::string_view property_;    // the name that the statement began with
  std::vector<char> functions_;  // the open parentheses; 1: of image-set()
};

std::size_t Finder::run() {
  CssLexer lexer(css_);
  CssToken token;
  while (lexer.next(token)) read(token);
  return lexer.work();
}

void Finder::read(const CssToken& token) {
  switch (token.kind) {
    case Kind::space:
      return;
    case Kind::mark:
      return read_mark(token.mark);
    case Kind::ident:
      if (at_start_) property_ = view(token.range);
      break;
    case Kind::at_keyword:
      if (left_block_ == 0) {
        functions_.clear();
        in_prelude_ = true;
        font_face_next_ = ascii::iequals(name_of(view(token.range).substr(1)), "font-face");
      }
      break;
    case Kind::function: {
      std::string_view written = view(token.range);
      written.remove_suffix(1);
      const std::string name = name_of(written);
      functions_.push_back(
          ascii::iequals(name, "image-set") || ascii::iequals(name, "-webkit-image-set") ? 1 : 0);
      break;
    }
    case Kind::url:
      add(token, false);
      break;
    case Kind::string:
      if (in_image_set()) add(token, true);
      break;
    case Kind::bad_string:
    case Kind::bad_url:
    case Kind::other_name:
      break;
  }
  at_start_ = false;
}

void Finder::read_mark(char mark) {
  switch (mark) {
    case '{':
      if (left_block_ > 0 || font_face_next_) ++left_block_;
      font_face_next_ = false;
      return start_statement();
    case '}':
      if (left_block_ > 0) --left_block_;
      font_face_next_ = false;
      return start_statement();
    case ';':
      font_face_next_ = false;
      return start_statement();
    case '(':
      functions_.push_back(0);
      break;
    case ')':
      if (!functions_.empty()) functions_.pop_back();
      break;
    case '*':
      return;  // an old hack: *property
    default:
      break;
  }
  if (mark != ':') at_start_ = false;
}

void Finder::add(const CssToken& token, bool is_string) {
  if (in_prelude_ || left_block_ > 0 || token.content.size() == 0) return;
  if (names_something_else(property_) ||
      (property_.find('\\') != std::string_view::npos && names_something_else(name_of(property_))))
    return;
  std::string_view url = view(token.content);
  const std::string_view trimmed = ascii::trim(url);
  if (trimmed.empty() || trimmed.front() == '#') return;
  const std::size_t begin = token.content.begin + static_cast<std::size_t>(trimmed.data() - url.data());
  out_.push_back({token.range, {begin, begin + trimmed.size()}, is_string});
}

bool is_mark(const CssToken& token, std::string_view marks) {
  return token.kind == Kind::mark && marks.find(token.mark) != std::string_view::npos;
}

// The length of "!important" at the end of a value, or 0.
std::size_t important_suffix(std::string_view value) {
  constexpr std::string_view kWord = "important";
  if (!ascii::iends_with(value, kWord)) return 0;
  const std::string_view before = ascii::trim(value.substr(0, value.size() - kWord.size()));
  if (!before.ends_with('!')) return 0;
  return static_cast<std::size_t>(value.data() + value.size() - (before.data() + before.size() - 1));
}

}  // namespace

std::size_t find_images(std::string_view css, std::vector<Image>& out) {
  // Most style attributes hold no function at all: that is seen faster than they are parsed.
  if (css.find('(') == std::string_view::npos) return css.size();
  return Finder(css, out).run();
}

void unescape(std::string_view text, std::string& out) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t escape = std::min(text.find('\\', at), text.size());
    out.append(text.substr(at, escape - at));
    at = escape + 1;
    if (at >= text.size()) break;
    if (text[at] == '\n' || text[at] == '\r' || text[at] == '\f') {
      at += text.substr(at).starts_with("\r\n") ? 2 : 1;
      continue;
    }
    if (ascii::hex_value(text[at]) < 0) {
      out.push_back(text[at++]);
      continue;
    }
    char32_t code = 0;
    for (int digits = 0; digits < kMaxHexDigits && at < text.size() && ascii::hex_value(text[at]) >= 0;
         ++digits)
      code = code * 16 + static_cast<char32_t>(ascii::hex_value(text[at++]));
    if (text.substr(at).starts_with("\r\n"))
      at += 2;
    else if (at < text.size() && ascii::is_space(text[at]))
      ++at;
    const bool valid = code != 0 && code <= 0x10FFFF && !(code >= 0xD800 && code < 0xE000);
    append_utf8(valid ? code : 0xFFFD, out);
  }
}

void read_declarations(std::string_view style, std::vector<Declaration>& out) {
  CssLexer lexer(style);
  CssToken token;
  std::string_view property;
  Range value;
  bool in_value = false, broken = false;
  std::size_t depth = 0;  // open parentheses, brackets and braces
  const auto finish = [&] {
    if (in_value && !broken) {
      Declaration declaration{property, style.substr(value.begin, value.size()), false};
      if (const std::size_t suffix = important_suffix(declaration.value); suffix > 0) {
        declaration.value = ascii::trim(declaration.value.substr(0, declaration.value.size() - suffix));
        declaration.important = true;
      }
      out.push_back(declaration);
    }
    property = {};
    value = {};
    in_value = broken = false;
  };
  while (lexer.next(token)) {
    if (token.kind == Kind::space) continue;
    if (is_mark(token, ";") && depth == 0) {
      finish();
      continue;
    }
    if (token.kind == Kind::function || is_mark(token, "([{")) ++depth;
    if (is_mark(token, ")]}") && depth > 0) --depth;
    if (in_value) {
      if (value.size() == 0) value.begin = token.range.begin;
      value.end = token.range.end;
    } else if (token.kind == Kind::ident && property.empty()) {
      property = style.substr(token.range.begin, token.range.size());
    } else if (is_mark(token, ":") && !property.empty()) {
      in_value = true;
    } else {
      broken = true;
    }
  }
  finish();
}

}  // namespace pixmilter::html::css
