// The size of an SVG: width and height of its root element, else its viewBox (SVG 1.1 chapter 7).
//
// This is a look at one start tag, not an XML parser: what is written in another charset than an ASCII
// superset, or through entities, is not found, and the renderer says the size instead.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

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

// Whether a length that length() knows is in a unit of its own: librsvg, as libvips calls it, has 72 dpi.
bool has_unit(std::string_view text) {
  const std::string_view trimmed = ascii::trim(text);
  const bool px = trimmed.size() > 2 && ascii::iequals(trimmed.substr(trimmed.size() - 2), "px");
  return !trimmed.empty() && ascii::is_alpha(trimmed.back()) && !px;
}

// The length that a style attribute gives for a side, which goes before the attribute of that name; empty:
// none. Comments and escapes in it are not understood: the side counts as not given.
std::string_view styled(std::string_view style, std::string_view name) {
  std::string_view found;
  while (!style.empty()) {
    const std::size_t end = std::min(style.find(';'), style.size());
    const std::string_view declaration = style.substr(0, end);
    style.remove_prefix(std::min(end + 1, style.size()));
    const std::size_t colon = declaration.find(':');
    if (colon == std::string_view::npos) continue;
    if (!ascii::iequals(ascii::trim(declaration.substr(0, colon)), name)) continue;
    const std::string_view value = declaration.substr(colon + 1);
    if (const std::string_view given = value.substr(0, value.find('!')); length(given)) found = given;
  }
  return found;
}

// A side as a browser takes it.
std::optional<double> side(std::string_view tag, std::string_view name) {
  const auto in_style = length(styled(attribute(tag, "style").value, name));
  return in_style ? in_style : length(attribute(tag, name).value);
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

std::optional<std::string> with_plain_size(std::string_view bytes) {
  const std::string_view tag = root_tag(bytes);
  if (tag.empty()) return {};
  const Written style = attribute(tag, "style");
  const bool by_default = has_default_size(tag);
  const auto begin = static_cast<std::size_t>(tag.data() - bytes.data());
  std::string rest(tag);
  std::string sides, declarations;
  // What an attribute says in another way is said once more, and that it said it goes.
  std::vector<Written> gone;
  for (const auto& [name, default_length] :
       {std::pair{std::string_view("width"), kDefaultWidth}, {std::string_view("height"), kDefaultHeight}}) {
    if (const std::string_view given = styled(style.value, name); !given.empty()) {
      if (has_unit(given))
        declarations += ';' + std::string(name) + ':' + std::to_string(*length(given)) + "px!important";
      continue;
    }
    const Written written = attribute(tag, name);
    const std::optional<double> said = length(written.value);
    if (said ? !has_unit(written.value) : !by_default) continue;
    sides += ' ' + std::string(name) + "=\"" + std::to_string(said.value_or(default_length)) + '"';
    if (written.end > 0) gone.push_back(written);
  }
  if (sides.empty() && declarations.empty()) return {};
  // From behind, so that what comes first stays where it is.
  std::sort(gone.begin(), gone.end(), kByPlace);
  if (!declarations.empty()) rest.insert(style.end - 1, declarations);
  for (auto written = gone.rbegin(); written != gone.rend(); ++written) {
    const bool behind = !declarations.empty() && written->begin > style.begin;
    rest.erase(written->begin + (behind ? declarations.size() : 0), written->end - written->begin);
  }
  rest.insert(std::string_view("svg").size(), sides);
  std::string out(bytes.substr(0, begin));
  out += rest;
  out += bytes.substr(begin + tag.size());
  return out;
}

Result<Header> read_svg_header(std::string_view bytes) {
  const std::string_view tag = root_tag(bytes);
  std::optional<double> width = side(tag, "width");
  std::optional<double> height = side(tag, "height");
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
