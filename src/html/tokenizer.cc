// Written as one reader for each kind of token instead of the standard's state for each character: the
// long runs (text, attribute values, comments, scripts) are crossed with memchr, and only names and the
// space between attributes are looked at byte by byte.
#include "html/tokenizer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/ascii.h"

namespace pixmilter::html {
namespace {

constexpr std::uint8_t kSpace = 1;          // white space
constexpr std::uint8_t kTagNameEnd = 2;     // white space / >
constexpr std::uint8_t kAttributeEnd = 4;   // white space / > =
constexpr std::uint8_t kUnquotedEnd = 8;    // white space >
constexpr std::size_t kMaxCondition = 512;  // bytes of "<!--[if ...]>" that are looked at
constexpr std::size_t kBlock = 32;          // bytes judged at a time in unquoted values

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (const char c : {' ', '\t', '\n', '\r', '\f'})
    classes[static_cast<unsigned char>(c)] = kSpace | kTagNameEnd | kAttributeEnd | kUnquotedEnd;
  classes['/'] = kTagNameEnd | kAttributeEnd;
  classes['>'] = kTagNameEnd | kAttributeEnd | kUnquotedEnd;
  classes['='] = kAttributeEnd;
  return classes;
}
constexpr auto kClasses = make_classes();

bool is(char c, std::uint8_t bits) { return (kClasses[static_cast<unsigned char>(c)] & bits) != 0; }

// Past the blocks in which no unquoted value can end.
const char* skip_plain_blocks(const char* at, const char* end) {
  while (static_cast<std::size_t>(end - at) >= kBlock) {
    unsigned stop = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      const auto c = static_cast<unsigned char>(at[i]);
      stop |= static_cast<unsigned>(c <= ' ') | static_cast<unsigned>(c == '>');
    }
    if (stop != 0) break;
    at += kBlock;
  }
  return at;
}

// The element's content when a tag of HTML opens it.
ContentMode content_mode_of(Tag tag) {
  switch (tag) {
    case Tag::title:
    case Tag::textarea:
      return ContentMode::rcdata;
    case Tag::style:
    case Tag::xmp:
    case Tag::iframe:
    case Tag::noembed:
    case Tag::noframes:
      return ContentMode::rawtext;
    case Tag::script:
      return ContentMode::script_data;
    case Tag::plaintext:
      return ContentMode::plaintext;
    default:
      return ContentMode::data;
  }
}

}  // namespace

std::size_t find_byte(std::string_view text, char c, std::size_t from) {
  if (from >= text.size()) return text.size();
  const auto* found = static_cast<const char*>(std::memchr(text.data() + from, c, text.size() - from));
  return found != nullptr ? static_cast<std::size_t>(found - text.data()) : text.size();
}

const Attribute* Token::find(std::string_view lower_name) const {
  for (const Attribute& attribute : attributes)
    if (ascii::iequals(attribute.name, lower_name)) return &attribute;
  return nullptr;
}

Tokenizer::Tokenizer(std::string_view html, const TokenizerOptions& options)
    : html_(html), options_(options), mode_(options.mode), raw_end_name_(options.last_start_tag) {
  if (options.in_svg) foreign_.start({"svg", Tag::svg, false, false, false});
}

std::size_t Tokenizer::find(char c, std::size_t from) {
  const std::size_t found = find_byte(html_, c, from);
  work_ += found - std::min(from, found);
  return found;
}

void Tokenizer::finish(Token& token, TokenKind kind, std::size_t end) {
  token.kind = kind;
  token.raw = html_.substr(at_, end - at_);
  at_ = end;
}

bool Tokenizer::next(Token& token) {
  if (at_ >= html_.size()) return false;
  token.tag = Tag::other;
  token.content_mode = mode_;
  token.self_closing = false;
  token.foreign = false;
  token.name = {};
  token.data = {};
  token.attributes = {};
  switch (mode_) {
    case ContentMode::data:
      read_data(token);
      break;
    case ContentMode::rcdata:
    case ContentMode::rawtext:
    case ContentMode::script_data:
      read_raw(token);
      break;
    case ContentMode::plaintext:
      finish(token, TokenKind::text, html_.size());
      break;
    case ContentMode::cdata:
      read_cdata(token, at_);
      mode_ = ContentMode::data;
      break;
  }
  return true;
}

// Text up to the next byte that opens markup, or that markup.
void Tokenizer::read_data(Token& token) {
  std::size_t open = at_;
  for (;; ++open) {
    open = find('<', open);
    if (open + 1 >= html_.size()) return finish(token, TokenKind::text, html_.size());
    const char c = html_[open + 1];
    if (ascii::is_alpha(c) || c == '!' || c == '?') break;
    if (c == '/') {
      if (open + 2 < html_.size()) break;
      return finish(token, TokenKind::text, html_.size());
    }
  }
  if (open > at_) return finish(token, TokenKind::text, open);
  switch (html_[open + 1]) {
    case '!':
      return read_declaration(token);
    case '?':
      return read_bogus_comment(token, open + 1);
    case '/':
      if (html_[open + 2] == '>') return finish(token, TokenKind::nothing, open + 3);
      if (!ascii::is_alpha(html_[open + 2])) return read_bogus_comment(token, open + 2);
      return read_tag(token, true);
    default:
      return read_tag(token, false);
  }
}

// Text up to the end tag of the element that holds it, or that end tag.
void Tokenizer::read_raw(Token& token) {
  const std::size_t end = mode_ == ContentMode::script_data ? find_script_end(at_) : find_raw_end(at_);
  if (end > at_) return finish(token, TokenKind::text, end);
  mode_ = ContentMode::data;
  read_tag(token, true);
}

bool Tokenizer::is_tag_name_at(std::size_t at, std::string_view lower_name) const {
  return !lower_name.empty() && at + lower_name.size() < html_.size() &&
         is(html_[at + lower_name.size()], kTagNameEnd) &&
         ascii::iequals(html_.substr(at, lower_name.size()), lower_name);
}

std::size_t Tokenizer::find_raw_end(std::size_t from) {
  for (std::size_t open = find('<', from); open < html_.size(); open = find('<', open + 1))
    if (open + 1 < html_.size() && html_[open + 1] == '/' && is_tag_name_at(open + 2, raw_end_name_))
      return open;
  return html_.size();
}

// "<!--" in a script hides end tags between "<script" and "</script" until "-->".
std::size_t Tokenizer::find_script_end(std::size_t from) {
  enum class State { plain, escaped, double_escaped } state = State::plain;
  std::size_t dashes = 0;  // where the "--" may begin that makes a ">" the end of the escape
  std::size_t close = 0;   // the next ">", looked for only while escaped
  std::size_t open = find('<', from);
  for (;;) {
    if (state != State::plain) {
      if (close < dashes) close = find('>', dashes);
      while (close < open && !(close >= dashes + 2 && html_[close - 1] == '-' && html_[close - 2] == '-'))
        close = find('>', close + 1);
      if (close < open) {
        state = State::plain;
        continue;
      }
    }
    if (open >= html_.size()) return html_.size();
    const std::size_t at = open + 1;
    const std::string_view rest = html_.substr(at);
    if (state == State::plain && rest.starts_with("!--")) {
      state = State::escaped;
      dashes = at + 1;
    } else if (state == State::escaped && is_tag_name_at(at, "script")) {
      state = State::double_escaped;
    } else if (rest.starts_with('/')) {
      if (state == State::double_escaped) {
        if (is_tag_name_at(at + 1, "script")) state = State::escaped;
      } else if (is_tag_name_at(at + 1, raw_end_name_)) {
        return open;
      }
    }
    open = find('<', at);
  }
}

void Tokenizer::read_tag(Token& token, bool is_end) {
  const char* const begin = html_.data() + at_;
  const char* const end = html_.data() + html_.size();
  const char* p = begin + (is_end ? 2 : 1);
  const char* start = p;
  while (p < end && !is(*p, kTagNameEnd)) ++p;
  token.name = {start, static_cast<std::size_t>(p - start)};
  attributes_.clear();
  for (;;) {
    while (p < end && is(*p, kSpace)) ++p;
    if (p == end) break;
    if (*p == '>') {
      ++p;
      work_ += static_cast<std::size_t>(p - begin);
      token.tag = tag_of(token.name);
      token.attributes = attributes_;
      finish(token, is_end ? TokenKind::end_tag : TokenKind::start_tag,
             static_cast<std::size_t>(p - html_.data()));
      if (!options_.tree_feedback) return;
      if (is_end)
        foreign_.end(token.name, token.tag);
      else
        enter_element(token);
      return;
    }
    if (*p == '/') {
      ++p;
      token.self_closing = p < end && *p == '>';
      continue;
    }
    start = p++;  // an equals sign may begin a name
    while (p < end && !is(*p, kAttributeEnd)) ++p;
    Attribute& attribute = attributes_.emplace_back();
    attribute.name = {start, static_cast<std::size_t>(p - start)};
    while (p < end && is(*p, kSpace)) ++p;
    if (p == end) break;
    if (*p != '=') continue;
    ++p;
    while (p < end && is(*p, kSpace)) ++p;
    if (p == end) break;
    attribute.has_value = true;
    start = p;
    if (*p == '"' || *p == '\'') {
      attribute.quote = *p;
      ++start;
      p = static_cast<const char*>(
          std::memchr(start, attribute.quote, static_cast<std::size_t>(end - start)));
      if (p == nullptr) break;
      attribute.value = {start, static_cast<std::size_t>(p - start)};
      ++p;
    } else {
      p = skip_plain_blocks(p, end);
      while (p < end && !is(*p, kUnquotedEnd)) ++p;
      attribute.value = {start, static_cast<std::size_t>(p - start)};
    }
  }
  // The text ends within the tag: there is no such tag.
  work_ += html_.size() - at_;
  token.name = {};
  token.self_closing = false;
  finish(token, TokenKind::nothing, html_.size());
}

void Tokenizer::enter_element(Token& token) {
  ForeignContent::StartTag start{token.name, token.tag, token.self_closing, false, false};
  if (token.tag == Tag::font && foreign_.foreign()) {
    start.font_attributes =
        token.find("color") != nullptr || token.find("face") != nullptr || token.find("size") != nullptr;
  } else if (token.tag == Tag::annotation_xml) {
    const Attribute* encoding = token.find("encoding");
    start.html_annotation = encoding != nullptr && (ascii::iequals(encoding->value, "text/html") ||
                                                    ascii::iequals(encoding->value, "application/xhtml+xml"));
  }
  token.foreign = foreign_.start(start);
  if (token.foreign) return;
  mode_ = content_mode_of(token.tag);
  raw_end_name_ = token.name;
}

// At "<!".
void Tokenizer::read_declaration(Token& token) {
  const std::string_view rest = html_.substr(at_ + 2);
  if (rest.starts_with("--")) {
    if (!options_.open_conditions || !read_condition(token)) read_comment(token);
  } else if (ascii::istarts_with(rest, "doctype")) {
    const std::size_t close = find('>', at_ + 9);
    finish(token, TokenKind::doctype, std::min(close + 1, html_.size()));
  } else if (rest.starts_with("[CDATA[") && foreign_.cdata_allowed()) {
    read_cdata(token, at_ + 9);
  } else {
    read_bogus_comment(token, at_ + 2);
  }
}

// A comment ends at ">" after "--" or "--!", or at once: "<!-->", "<!--->".
void Tokenizer::read_comment(Token& token) {
  const std::size_t begin = at_ + 4;
  const std::string_view rest = html_.substr(begin);
  if (rest.starts_with('>')) return finish(token, TokenKind::comment, begin + 1);
  if (rest.starts_with("->")) return finish(token, TokenKind::comment, begin + 2);
  for (std::size_t close = find('>', begin); close < html_.size(); close = find('>', close + 1)) {
    const std::string_view text = html_.substr(begin, close - begin);
    const std::size_t mark = text.ends_with("--") ? 2 : text.ends_with("--!") ? 3 : 0;
    if (mark == 0) continue;
    token.data = text.substr(0, text.size() - mark);
    return finish(token, TokenKind::comment, close + 1);
  }
  token.data = rest;
  for (const std::string_view mark : {"--!", "--", "-"}) {
    if (!token.data.ends_with(mark)) continue;
    token.data.remove_suffix(mark.size());
    break;
  }
  finish(token, TokenKind::comment, html_.size());
}

void Tokenizer::read_bogus_comment(Token& token, std::size_t data_begin) {
  const std::size_t close = find('>', data_begin);
  token.data = html_.substr(data_begin, close - data_begin);
  finish(token, TokenKind::comment, std::min(close + 1, html_.size()));
}

void Tokenizer::read_cdata(Token& token, std::size_t data_begin) {
  const std::size_t close = std::min(html_.find("]]>", data_begin), html_.size());
  work_ += close - data_begin;
  token.data = html_.substr(data_begin, close - data_begin);
  finish(token, TokenKind::cdata, std::min(close + 3, html_.size()));
}

bool Tokenizer::read_condition(Token& token) {
  const std::string_view rest = html_.substr(at_ + 4, kMaxCondition);
  if (!ascii::istarts_with(rest, "[if")) return false;
  const std::size_t close = find_byte(rest, '>', 0);
  work_ += close;
  if (close == rest.size() || rest[close - 1] != ']') return false;
  token.data = rest.substr(0, close);
  finish(token, TokenKind::condition, at_ + 4 + close + 1);
  return true;
}

}  // namespace pixmilter::html
