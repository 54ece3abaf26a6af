#include "cli/contained_html.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/ascii.h"
#include "core/find.h"
#include "html/entities.h"
#include "html/reference.h"
#include "html/tokenizer.h"
#include "mail/edit.h"

namespace pixmilter::cli {
namespace {

using html::Place;
using html::Tag;
using html::TokenKind;

// Elements that say how text looks. Whatever else there is goes, and its content stays as text.
constexpr std::array<std::string_view, 87> kElements = {
    "a",          "abbr",   "address", "article", "aside",   "b",     "bdi",  "bdo",   "big",
    "blockquote", "body",   "br",      "caption", "center",  "cite",  "code", "col",   "colgroup",
    "dd",         "del",    "dfn",     "dir",     "div",     "dl",    "dt",   "em",    "fieldset",
    "figcaption", "figure", "font",    "footer",  "h1",      "h2",    "h3",   "h4",    "h5",
    "h6",         "header", "hr",      "i",       "img",     "ins",   "kbd",  "label", "legend",
    "li",         "main",   "map",     "mark",    "menu",    "nav",   "nobr", "ol",    "p",
    "picture",    "pre",    "q",       "rp",      "rt",      "ruby",  "s",    "samp",  "section",
    "small",      "source", "span",    "strike",  "strong",  "style", "sub",  "sup",   "table",
    "tbody",      "td",     "tfoot",   "th",      "thead",   "time",  "tr",   "tt",    "u",
    "ul",         "var",    "wbr",     "summary", "details", "hgroup"};

// Attributes that say how it looks. Those that name a picture are judged by their value.
constexpr std::array<std::string_view, 45> kAttributes = {
    "align",   "alt",     "axis",   "bgcolor", "border",   "cellpadding", "cellspacing",  "char",
    "charoff", "class",   "color",  "cols",    "colspan",  "compact",     "dir",          "face",
    "frame",   "height",  "hspace", "id",      "lang",     "leftmargin",  "marginheight", "marginwidth",
    "media",   "noshade", "nowrap", "open",    "reversed", "rowspan",     "rules",        "scope",
    "size",    "sizes",   "span",   "start",   "style",    "title",       "topmargin",    "type",
    "valign",  "value",   "vspace", "width",   "summary"};
constexpr std::array<std::string_view, 3> kPictureAttributes = {"background", "src", "srcset"};

// Elements whose content is not for readers.
constexpr std::array<std::string_view, 10> kDropped = {
    "script", "title", "textarea", "iframe", "noembed", "noframes", "template", "select", "audio", "video"};
// Elements that begin a line, for the guess at the height.
constexpr std::array<std::string_view, 14> kBlocks = {"p",  "div", "tr", "li", "br",  "h1", "h2",
                                                      "h3", "h4",  "hr", "ul", "pre", "dt", "blockquote"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::string_view kPolicy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

// A mail client's canvas: white, whatever the page round it. Pictures shrink to the width, as on a phone.
constexpr std::string_view kStyle =
    "html{color-scheme:only light;background:#fff;color:#1b1b1f}"
    "body{margin:16px;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
    "img{max-width:100%;height:auto}"
    "a[data-link]{color:#1a56db;text-decoration:underline}"
    "img[src^='data:,'],.pixmilter-hole{display:inline-block!important;box-sizing:border-box;min-width:2.2em;"
    "min-height:2.2em;max-width:100%;padding:.35em .6em;border:1px dashed "
    "#b3aea4!important;border-radius:4px;"
    "background:repeating-linear-gradient(135deg,#f6f4ef 0 6px,#eeebe4 6px 12px)!important;"
    "color:#6b665d!important;font:13px/1.35 system-ui,sans-serif!important;vertical-align:middle;"
    "overflow:hidden}";

constexpr double kLine = 24;  // CSS px
constexpr std::size_t kCharactersALine = 60;
constexpr double kMostPictureHeight = 400;

std::string_view word(Hole hole) {
  switch (hole) {
    case Hole::blocked:
      return "blocked";
    case Hole::remote:
      return "remote";
    case Hole::missing:
      return "missing";
    case Hole::large:
      return "large";
  }
  return "missing";
}

// Gives references to pictures another URL; nothing where one shall stay.
using UrlFor = std::function<std::optional<std::string>(const html::Reference&, std::string_view url)>;
std::string with_urls(std::string_view text, const UrlFor& url_for) {
  mail::EditList edits;
  std::string scratch;
  for (const html::Reference& reference : html::scan(text).references) {
    const bool svg = reference.place == Place::inline_svg;
    const std::optional<std::string> url =
        url_for(reference, svg ? std::string_view() : html::url(reference, scratch));
    if (url)
      edits.replace(reference.range.begin, reference.range.end,
                    svg ? *url : html::replacement(reference, *url));
  }
  Result<std::string> changed = edits.apply(text);
  return changed ? std::move(*changed) : std::string();
}

void add_height(const html::Reference& reference, double otherwise, ContainedHtml& out) {
  if (reference.place != Place::img_src && reference.place != Place::input_src &&
      reference.place != Place::inline_svg)
    return;
  out.height += std::min(reference.css_height.value_or(otherwise), kMostPictureHeight);
}

// What no mail client shows by itself becomes holes: data: URIs, inline SVG, links.
std::string with_holes(std::string_view text, ContainedHtml& out) {
  return with_urls(
      text, [&](const html::Reference& reference, std::string_view url) -> std::optional<std::string> {
        if (ascii::istarts_with(url, "cid:")) return std::nullopt;
        ++out.holes;
        add_height(reference, kLine * 2, out);
        if (reference.place != Place::inline_svg)
          return "data:," +
                 std::string(word(ascii::istarts_with(url, "data:") ? Hole::blocked : Hole::remote));
        const auto pixels = [](std::optional<double> length) {
          return length ? std::to_string(static_cast<int>(std::min(*length, 2000.0))) + "px" : "auto";
        };
        return "<span class=\"pixmilter-hole\" style=\"width:" + pixels(reference.css_width) +
               ";height:" + pixels(reference.css_height) + "\">inline SVG</span>";
      });
}

// What cid: names becomes the picture itself.
std::string with_parts(std::string_view text, const PictureOf& picture_of, ContainedHtml& out) {
  return with_urls(text,
                   [&](const html::Reference& reference, std::string_view url) -> std::optional<std::string> {
                     if (!ascii::istarts_with(url, "cid:")) return std::nullopt;
                     const Shown shown = picture_of(core::content_id_of(url));
                     add_height(reference, shown.height > 0 ? shown.height : kLine * 2, out);
                     ++(shown.uri.empty() ? out.holes : out.pictures);
                     return shown.uri.empty() ? "data:," + std::string(word(shown.hole)) : shown.uri;
                   });
}

// Writes anew what is on the lists.
class Writer {
 public:
  explicit Writer(ContainedHtml& out) : out_(out), document_(out.document) {}

  void write(std::string_view text) {
    html::Tokenizer tokenizer(text);
    html::Token token;
    while (tokenizer.next(token)) {
      const bool foreign = tokenizer.foreign_depth() > 0 || token.foreign;
      switch (token.kind) {
        case TokenKind::text:
          if (!foreign) write_text(token);
          break;
        case TokenKind::start_tag:
          if (!foreign) start(token);
          break;
        case TokenKind::end_tag:
          if (!foreign) end(token);
          break;
        default:
          break;  // comments, and what only Outlook reads
      }
    }
    if (in_style_) document_ += "</style>";
    out_.height += static_cast<double>(characters_) / static_cast<double>(kCharactersALine) * kLine;
  }

 private:
  void write_text(const html::Token& token) {
    if (in_style_) return write_style(token.raw);
    if (!dropped_.empty()) return;
    std::string decoded;
    if (token.content_mode == html::ContentMode::data)
      html::decode_references(token.raw, html::ReferenceContext::text, decoded);
    else
      decoded = token.raw;
    characters_ += static_cast<std::size_t>(
        std::count_if(decoded.begin(), decoded.end(), [](char c) { return !ascii::is_space(c); }));
    document_ += escaped(decoded);
  }

  // A style sheet is raw text: it must neither end nor begin markup, whoever reads it.
  void write_style(std::string_view css) {
    for (std::size_t i = 0; i < css.size(); ++i) {
      const bool markup = css[i] == '<' && i + 1 < css.size() &&
                          (css[i + 1] == '/' || css[i + 1] == '?' || ascii::is_alpha(css[i + 1]));
      if (markup)
        document_ += "\\3c ";
      else if (css[i] != '\0')
        document_.push_back(css[i]);
    }
  }

  void start(const html::Token& token) {
    const std::string name = ascii::to_lower(token.name);
    if (!dropped_.empty()) {
      if (name == dropped_) ++dropped_depth_;
      return;
    }
    if (among(kDropped, name)) {
      dropped_ = name;
      dropped_depth_ = 1;
      return;
    }
    if (among(kBlocks, name)) out_.height += kLine / 2;
    std::string_view written = name;
    if (name == "image" || name == "input") written = "img";  // as <input type=image> looks
    if (name == "xmp" || name == "plaintext" || name == "listing") written = "pre";
    if (!among(kElements, written)) return;
    const html::Attribute* source = token.find("src");
    if (name == "input" && (source == nullptr || !source->value.starts_with("data:"))) return;
    document_.append("<").append(written);
    attributes(token, written == "a");
    document_ += ">";
    in_style_ = written == "style";
  }

  void attributes(const html::Token& token, bool link) {
    std::set<std::string> seen;
    for (const html::Attribute& attribute : token.attributes) {
      const std::string name = ascii::to_lower(attribute.name);
      const bool picture = among(kPictureAttributes, name);
      const bool target = link && name == "href";
      if ((!picture && !target && !among(kAttributes, name)) || !seen.insert(name).second) continue;
      std::string value;
      html::decode_references(attribute.value, html::ReferenceContext::attribute, value);
      if (picture && !harmless_picture(name, value)) continue;
      // Where a link leads is said, not followed.
      document_.append(target ? " data-link title=\"" : " " + name + "=\"")
          .append(escaped(value))
          .append("\"");
    }
  }

  // Every candidate of a srcset is a data: URI, or nothing of it stays.
  static bool harmless_picture(std::string_view name, std::string_view value) {
    value = ascii::trim(value);
    if (!ascii::istarts_with(value, "data:")) return false;
    if (name != "srcset") return true;
    std::size_t at = 0;
    while (at < value.size()) {
      while (at < value.size() && (ascii::is_space(value[at]) || value[at] == ',')) ++at;
      if (at == value.size()) break;
      if (!ascii::istarts_with(value.substr(at), "data:")) return false;
      while (at < value.size() && !ascii::is_space(value[at])) ++at;  // the URL, commas and all
      while (at < value.size() && value[at] != ',') ++at;             // its descriptor
    }
    return true;
  }

  void end(const html::Token& token) {
    const std::string name = ascii::to_lower(token.name);
    if (!dropped_.empty()) {
      if (name == dropped_ && --dropped_depth_ == 0) dropped_.clear();
      return;
    }
    std::string_view written = name;
    if (name == "xmp" || name == "listing") written = "pre";
    if (!among(kElements, written) || written == "body") return;
    document_.append("</").append(written).append(">");
    if (written == "style") in_style_ = false;
  }

  ContainedHtml& out_;
  std::string& document_;
  bool in_style_ = false;
  std::string dropped_;  // the element whose content goes
  std::size_t dropped_depth_ = 0;
  std::size_t characters_ = 0;
};

// The bytes of one UTF-8 character at text[at], or 0 where there is none.
std::size_t character_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (size == 0 || lead >= 0xF5 || at + size > text.size()) return 0;
  for (std::size_t i = at + 1; i < at + size; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const unsigned char second = byte(at + 1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
      (lead == 0xF4 && second > 0x8F))
    return 0;
  return size;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = character_size(text, i);
    const char c = text[i];
    if (size == 0)
      out += "\xEF\xBF\xBD";
    else if (size > 1)
      out.append(text.substr(i, size));
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= ' ' ? c != 0x7F : ascii::is_space(c))
      out.push_back(c);
    i += std::max(size, std::size_t{1});
  }
  return out;
}

ContainedHtml contained_html(std::string_view html, const PictureOf& picture_of) {
  ContainedHtml out;
  // Holes first: what is longer then is text, not a picture in a data: URI.
  std::string text = with_holes(html, out);
  if (text.size() > kMaxShownHtml) {
    text.resize(kMaxShownHtml);
    out.cut = true;
  }
  text = with_parts(text, picture_of, out);
  out.document =
      "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"";
  out.document.append(kPolicy).append("\"><meta name=\"referrer\" content=\"no-referrer\"><style>");
  out.document.append(kStyle).append("</style>");
  Writer(out).write(text);
  return out;
}

}  // namespace pixmilter::cli
