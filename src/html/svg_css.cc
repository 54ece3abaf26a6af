#include "html/svg_css.h"

#include <algorithm>
#include <cstddef>

#include "base/ascii.h"
#include "html/css.h"
#include "html/css_lexer.h"

namespace pixmilter::html {
namespace {

using css::CssLexer;
using css::CssToken;
using css::Kind;

// Elements that stand round images in mail and have no namesake in SVG.
constexpr std::string_view kHtmlElements[] = {
    "article", "b",     "blockquote", "body",    "button", "center", "dd",     "div",  "dl",
    "dt",      "em",    "figure",     "font",    "footer", "h1",     "h2",     "h3",   "h4",
    "h5",      "h6",    "header",     "html",    "i",      "label",  "li",     "main", "nav",
    "ol",      "p",     "pre",        "section", "small",  "span",   "strong", "sub",  "sup",
    "table",   "tbody", "td",         "tfoot",   "th",     "thead",  "tr",     "u",    "ul"};

bool is_html_element(std::string_view name) {
  return std::any_of(std::begin(kHtmlElements), std::end(kHtmlElements),
                     [&](std::string_view known) { return ascii::iequals(known, name); });
}

// Stands for what is left out, so that the tokens on both sides never become one. White space would not do:
// it belongs to an escape before it.
constexpr std::string_view kNothing = "/**/";

// What the end of the stylesheet cut off would go on into the text that comes after it.
bool is_cut_off(std::string_view css, const CssToken& token) {
  if (token.range.end != css.size()) return false;
  if (token.kind == Kind::string) return token.content.end == token.range.end;
  return token.kind == Kind::url && (token.content.end == token.range.end || css.back() != ')');
}

// A url() token as it may stand in the picture.
void append_url(std::string_view css, const CssToken& token, std::string& out,
                std::vector<std::string>& ids) {
  std::string url;
  css::unescape(css.substr(token.content.begin, token.content.size()), url);
  const std::string_view trimmed = ascii::trim(url);
  if (trimmed.starts_with('#')) ids.emplace_back(trimmed.substr(1));
  if (trimmed.starts_with('#') || ascii::istarts_with(trimmed, "data:"))
    out += css.substr(token.range.begin, token.range.size());
  else
    out += "none";
}

// Appends one token as it may stand in the picture.
void append_token(std::string_view css, const CssToken& token, std::string& out,
                  std::vector<std::string>& ids) {
  const std::string_view written = css.substr(token.range.begin, token.range.size());
  if (is_cut_off(css, token)) {
    out += token.kind == Kind::string ? "\"\"" : "none";
    return;
  }
  switch (token.kind) {
    case Kind::url:
      return append_url(css, token, out, ids);
    case Kind::bad_url:
      out += "none";
      return;
    case Kind::bad_string:
      out += "\"\"";
      return;
    case Kind::function: {
      std::string name;
      css::unescape(written, name);
      // A url( whose string is malformed.
      out += ascii::iequals(name, "url(") ? "none(" : written;
      return;
    }
    case Kind::space:
      out += written.starts_with('/') ? kNothing : written;
      return;
    case Kind::mark:
      out += token.mark == '\\' ? kNothing : written;
      return;
    default:
      out += written;
  }
}

// Whether a media query asks for nothing but a screen: "all", "screen", "only screen", or one of these in a
// list.
bool is_plain_screen(std::string_view query) {
  while (!query.empty()) {
    const std::size_t comma = std::min(query.find(','), query.size());
    std::string_view one = ascii::trim(query.substr(0, comma));
    if (ascii::istarts_with(one, "only ")) one = ascii::trim(one.substr(5));
    if (ascii::iequals(one, "screen") || ascii::iequals(one, "all")) return true;
    query.remove_prefix(std::min(comma + 1, query.size()));
  }
  return false;
}

class Sealer {
 public:
  Sealer(std::string_view css, std::string& out, std::vector<std::string>& ids, bool anywhere)
      : css_(css), lexer_(css), out_(out), ids_(ids), anywhere_(anywhere) {}

  void run() {
    for (CssToken token; lexer_.next(token);) read(token);
    out_.append(
        blocks_.size() - static_cast<std::size_t>(std::count(blocks_.begin(), blocks_.end(), Block::media)),
        '}');
  }

 private:
  enum class Block : char { media, rule };  // the braces of a media block are not written

  std::string_view view(const CssToken& token) const {
    return css_.substr(token.range.begin, token.range.size());
  }

  void read(const CssToken& token) {
    const bool selecting = blocks_.empty() || blocks_.back() == Block::media;
    const char before = before_;
    before_ = token.kind == Kind::mark ? token.mark : '\0';
    switch (token.kind) {
      case Kind::at_keyword:
        return read_at_rule(view(token).substr(1));
      case Kind::ident:
        if (selecting && !in_brackets_ && before != '.' && before != ':' && is_html_element(view(token))) {
          out_ += '.' + stand_in_class(ascii::to_lower(view(token)));
          return;
        }
        break;
      case Kind::mark:
        if (token.mark == '[') in_brackets_ = true;
        if (token.mark == ']' || token.mark == '{' || token.mark == '}') in_brackets_ = false;
        if (token.mark == '{') blocks_.push_back(Block::rule);
        if (token.mark == '}') {
          const bool written = !blocks_.empty() && blocks_.back() == Block::rule;
          if (!blocks_.empty()) blocks_.pop_back();
          if (!written) {
            out_ += kNothing;
            return;
          }
        }
        break;
      default:
        break;
    }
    append_token(css_, token, out_, ids_);
  }

  // Passes over an at-rule, or opens the block of a media query that fits.
  void read_at_rule(std::string_view name) {
    out_ += kNothing;
    std::size_t begin = 0, depth = 0;
    bool started = false;
    for (CssToken token; lexer_.next(token);) {
      if (!started) begin = token.range.begin;
      started = true;
      if (token.kind != Kind::mark) continue;
      if (depth == 0 && token.mark == ';') return;
      if (depth == 0 && token.mark == '{' && ascii::iequals(name, "media") &&
          (anywhere_ || is_plain_screen(css_.substr(begin, token.range.begin - begin)))) {
        blocks_.push_back(Block::media);
        return;
      }
      if (token.mark == '{') ++depth;
      if (token.mark == '}' && (depth == 0 || --depth == 0)) return;
    }
  }

  std::string_view css_;
  CssLexer lexer_;
  std::string& out_;
  std::vector<std::string>& ids_;
  bool anywhere_;
  std::vector<Block> blocks_;
  bool in_brackets_ = false;
  char before_ = 0;  // the mark just before, 0 when something else was
};

}  // namespace

std::string stand_in_class(std::string_view element) { return "pixmilter-" + std::string(element); }

void append_sealed_stylesheet(std::string_view css, std::string& out, std::vector<std::string>& ids,
                              bool anywhere) {
  css = ascii::trim(css);
  if (css.starts_with("<!--")) css.remove_prefix(4);
  if (css.ends_with("-->")) css.remove_suffix(3);
  Sealer(css, out, ids, anywhere).run();
  out += kNothing;
  out += '\n';
}

std::string sealed_value(std::string_view css, std::vector<std::string>& ids) {
  std::string out;
  if (css.find('(') == std::string_view::npos) return std::string(css);
  CssLexer lexer(css);
  for (CssToken token; lexer.next(token);) append_token(css, token, out, ids);
  return out;
}

}  // namespace pixmilter::html
