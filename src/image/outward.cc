#include "image/outward.h"

#include "base/ascii.h"

namespace pixmilter::image {
namespace {

constexpr std::size_t kLongest = 80;  // of what is shown

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

}  // namespace

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
