// The size of an SVG: width and height of its root element, else its viewBox (SVG 1.1 chapter 7).
//
// This is a look at one start tag, not an XML parser: what is written in another charset than an ASCII
// superset, or through entities, is not found, and the renderer says the size instead.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/ascii.h"
#include "image/header.h"
#include "image/header_readers.h"

namespace pixmilter::image {
namespace {

// An attribute in a start tag: where it stands, and its value without quotes.
struct Written {
  std::size_t begin = 0, end = 0;
  std::string_view value;
};
constexpr auto kByPlace = [](const Written& a, const Written& b) { return a.begin < b.begin; };

Written attribute(std::string_view tag, std::string_view name) {
  for (std::size_t at = 0; (at = tag.find(name, at)) != std::string_view::npos; at += name.size()) {
    if (at == 0 || !ascii::is_space(tag[at - 1])) continue;
    std::size_t value = at + name.size();
    while (value < tag.size() && ascii::is_space(tag[value])) ++value;
    if (value >= tag.size() || tag[value] != '=') continue;
    ++value;
    while (value < tag.size() && ascii::is_space(tag[value])) ++value;
    if (value >= tag.size() || (tag[value] != '"' && tag[value] != '\'')) continue;
    const std::size_t end = tag.find(tag[value], value + 1);
    if (end == std::string_view::npos) return {};
    return {at, end + 1, tag.substr(value + 1, end - value - 1)};
  }
  return {};
}

std::optional<double> take_number(std::string_view& text) {
  while (!text.empty() && (ascii::is_space(text.front()) || text.front() == ',')) text.remove_prefix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// A length in CSS px, at the font size that a picture starts with; nothing for percentages.
std::optional<double> length(std::string_view text) {
  const auto value = take_number(text);
  if (!value) return {};
  const std::string_view unit = ascii::trim(text);
  static constexpr struct {
    std::string_view name;
    double px;
  } kUnits[] = {{"", 1},           {"px", 1},         {"pt", 96 / 72.0}, {"pc", 16}, {"in", 96},
                {"cm", 96 / 2.54}, {"mm", 96 / 25.4}, {"q", 96 / 101.6}, {"em", 16}, {"ex", 8}};
  for (const auto& known : kUnits)
    if (ascii::iequals(unit, known.name)) return *value * known.px;
  return {};
}

// From its name to before ">", quotes observed.
std::string_view root_tag(std::string_view bytes) {
  for (std::size_t at = 0; (at = bytes.find("svg", at)) != std::string_view::npos; at += 3) {
    std::size_t before = at;
    while (before > 0 && (ascii::is_alnum(bytes[before - 1]) || bytes[before - 1] == ':')) --before;
    if (before == 0 || bytes[before - 1] != '<') continue;
    char quote = '\0';
    for (std::size_t end = at; end < bytes.size(); ++end) {
      const char c = bytes[end];
      if (quote != '\0')
        quote = c == quote ? '\0' : quote;
      else if (c == '"' || c == '\'')
        quote = c;
      else if (c == '>')
        return bytes.substr(at, end - at);
    }
    return {};
  }
  return {};
}

// What a page gives an image that says nothing of its size.
constexpr double kDefaultWidth = 300, kDefaultHeight = 150;

// Whether a side that is not said is the default one.
bool has_default_size(std::string_view tag) {
  return !tag.empty() && attribute(tag, "viewBox").end == 0 && attribute(tag, "style").end == 0;
}

}  // namespace

std::optional<std::string> with_default_size(std::string_view bytes) {
  const std::string_view tag = root_tag(bytes);
  const Written width = attribute(tag, "width"), height = attribute(tag, "height");
  if (!has_default_size(tag) || (length(width.value) && length(height.value))) return {};
  std::string out(bytes.substr(0, static_cast<std::size_t>(tag.data() - bytes.data())));
  std::string rest(tag);
  // From behind, so that the first stays where it is.
  for (const Written& written : {std::max(width, height, kByPlace), std::min(width, height, kByPlace)})
    if (written.end > 0 && !length(written.value)) rest.erase(written.begin, written.end - written.begin);
  std::string sides;
  if (!length(width.value)) sides += " width=\"" + std::to_string(std::lround(kDefaultWidth)) + '"';
  if (!length(height.value)) sides += " height=\"" + std::to_string(std::lround(kDefaultHeight)) + '"';
  rest.insert(std::string_view("svg").size(), sides);
  out += rest;
  out += bytes.substr(out.size() - rest.size() + tag.size());
  return out;
}

Result<Header> read_svg_header(std::string_view bytes) {
  const std::string_view tag = root_tag(bytes);
  std::optional<double> width = length(attribute(tag, "width").value);
  std::optional<double> height = length(attribute(tag, "height").value);
  if ((!width || !height) && has_default_size(tag)) {
    width = width.value_or(kDefaultWidth);
    height = height.value_or(kDefaultHeight);
  } else if (!width || !height) {
    std::string_view box = attribute(tag, "viewBox").value;
    take_number(box);
    take_number(box);
    const auto box_width = take_number(box);
    const auto box_height = take_number(box);
    if (!box_width || !box_height || *box_width <= 0 || *box_height <= 0) return Error{"svg: says no size"};
    // One side given: the other follows in the viewBox's proportion.
    if (width)
      height = *width * *box_height / *box_width;
    else if (height)
      width = *height * *box_width / *box_height;
    else
      width = box_width, height = box_height;
  }
  if (!(*width > 0) || !(*height > 0)) return Error{"svg: no size that can be drawn"};
  constexpr double kMost = 4294967295;
  Header header;
  header.width = static_cast<std::uint32_t>(std::min(std::ceil(*width), kMost));
  header.height = static_cast<std::uint32_t>(std::min(std::ceil(*height), kMost));
  header.alpha = true;
  return header;
}

}  // namespace pixmilter::image
