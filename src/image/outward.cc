#include "image/outward.h"

#include <algorithm>

#include "base/ascii.h"

namespace pixmilter::image {
namespace {

constexpr std::size_t kLongest = 80;  // of what is shown
constexpr std::size_t kNear = 500;    // bytes in which a neighbour is looked for

// What stands in quotes, or up to a bracket or white space.
std::string_view value_at(std::string_view text, std::size_t at) {
  while (at < text.size() && ascii::is_space(text[at])) ++at;
  if (at == text.size()) return {};
  const char quote = text[at];
  if (quote == '"' || quote == '\'') {
    const std::size_t end = text.find(quote, at + 1);
    return ascii::trim(text.substr(at + 1, end == std::string_view::npos ? end : end - at - 1));
  }
  return text.substr(at, text.find_first_of(" \t\r\n>)\"'", at) - at);
}

bool leads_out(std::string_view url) {
  return !url.empty() && !url.starts_with('#') && !ascii::istarts_with(url, "data:");
}

std::string shown(std::string_view url) {
  std::string out(url.substr(0, kLongest));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return url.size() > kLongest ? out + "..." : out;
}

// Links, which show nothing themselves.
bool is_link(std::string_view svg, std::size_t at) {
  const std::size_t tag = svg.rfind('<', at);
  return tag != std::string_view::npos && tag + 2 < svg.size() &&
         ascii::to_lower(svg.substr(tag + 1, 1)) == "a" && ascii::is_space(svg[tag + 2]);
}

// Whether there is anything between the tags.
bool holds_anything(std::string_view content) {
  for (std::size_t at = 0; at < content.size(); ++at) {
    if (content[at] == '<') {
      // A tag of a picture shows something as well.
      for (const std::string_view name : {"<img", "<canvas", "<svg", "<input", "<hr"})
        if (ascii::istarts_with(content.substr(at), name)) return true;
      at = content.find('>', at);
      if (at == std::string_view::npos) return false;
    } else if (!ascii::is_space(content[at])) {
      return true;
    }
  }
  return false;
}

// Whether a <switch> holds nothing but what ends before svg[begin] and begins again at end.
bool has_alternative(std::string_view svg, std::size_t begin, std::size_t end) {
  const std::string_view before =
      ascii::trim(svg.substr(begin - std::min(begin, kNear), std::min(begin, kNear)));
  const std::string_view after = ascii::trim(svg.substr(end, kNear));
  const std::size_t tag = before.rfind('<');
  return before.ends_with('>') && !before.ends_with("/>") && tag != std::string_view::npos &&
         ascii::istarts_with(before.substr(tag), "<switch") && !after.starts_with("</");
}

}  // namespace

bool loses_foreign_object(std::string_view svg) {
  constexpr std::string_view kName = "foreignobject";  // HTML reads it in any case
  for (std::size_t at = 0; (at = svg.find('<', at)) != std::string_view::npos;) {
    const std::size_t begin = at++;
    std::string_view name = svg.substr(at, svg.find_first_of(" \t\r\n/<>", at) - at);
    name.remove_prefix(name.rfind(':') + 1);  // npos + 1 is 0
    if (!ascii::iequals(name, kName)) continue;
    const std::size_t open = svg.find('>', at);
    if (open == std::string_view::npos) return false;
    at = open + 1;
    if (svg[open - 1] == '/') continue;
    std::size_t close = at;
    for (;; ++close) {
      close = svg.find("</", close);
      if (close == std::string_view::npos) return holds_anything(svg.substr(at));
      std::string_view closed = svg.substr(close + 2, kNear);
      closed = closed.substr(0, closed.find('>'));
      closed.remove_prefix(closed.rfind(':') + 1);
      if (ascii::iequals(ascii::trim(closed), kName)) break;
    }
    const std::size_t end = std::min(svg.find('>', close), svg.size() - 1) + 1;
    if (holds_anything(svg.substr(at, close - at)) && !has_alternative(svg, begin, end)) return true;
    at = end;
  }
  return false;
}

std::string outward_reference(std::string_view svg) {
  for (std::size_t at = 0; (at = svg.find("href", at)) != std::string_view::npos; ++at) {
    std::size_t equals = at + 4;
    while (equals < svg.size() && ascii::is_space(svg[equals])) ++equals;
    if (equals == svg.size() || svg[equals] != '=' || is_link(svg, at)) continue;
    if (const std::string_view url = value_at(svg, equals + 1); leads_out(url)) return shown(url);
  }
  for (const std::string_view mark : {"url(", "@import "})
    for (std::size_t at = 0; (at = svg.find(mark, at)) != std::string_view::npos; ++at) {
      const std::string_view url = value_at(svg, at + mark.size());
      if (leads_out(url) && !url.starts_with("url(")) return shown(url);
    }
  return {};
}

}  // namespace pixmilter::image
