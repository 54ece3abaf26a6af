#include "html/svg_size.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "html/css.h"
#include "html/entities.h"
#include "html/length.h"

namespace pixmilter::html {
namespace {

constexpr double kDefaultWidth = 300;  // CSS px, of a replaced element that says nothing
constexpr double kDefaultHeight = 150;

// One side of the box, as it was said.
struct Side {
  std::optional<double> length;  // CSS px
  std::string relative;          // what was said instead: "100%", "50vw"
  std::string in_fonts;          // how the length was said, where the size of a font counts: "1.5em"
  std::optional<double> maximum;
  bool in_own_style = false;  // the element's own style attribute says it
  bool important = false;

  bool said() const { return length || !relative.empty(); }
};

// Whether a length is a number of em, rem or ex: then only who shows the page knows the font that counts.
bool counts_in_fonts(std::string_view value) {
  return is_relative_size(value) && (ascii::iends_with(value, "em") || ascii::iends_with(value, "ex"));
}

void read_attribute(const Token& root, std::string_view name, Side& side) {
  const std::string value = attribute_value(root, name);
  side.length = svg_length(value);
  const std::string_view trimmed = ascii::trim(value);
  if (side.length && counts_in_fonts(trimmed)) side.in_fonts = trimmed;
  if (trimmed.ends_with('%') && is_relative_size(trimmed)) side.relative = trimmed;
}

void read_declaration(const css::Declaration& declaration, bool own_style, Side& side) {
  if (side.important && !declaration.important) return;
  const std::optional<double> length = css_length(declaration.value);
  const bool relative = !length && is_relative_size(declaration.value);
  if (!length && !relative && !is_size_keyword(declaration.value))
    return;  // invalid: as if it were not there
  side.important = declaration.important;
  side.length = length;
  side.relative = relative ? declaration.value : std::string_view();
  side.in_fonts = length && counts_in_fonts(declaration.value) ? declaration.value : std::string_view();
  side.in_own_style = own_style;
}

// The size in viewBox="x y width height"; commas and white space part the numbers. Width over height.
struct ViewBox {
  double width = 0;
  double height = 0;
};
std::optional<ViewBox> view_box(const std::string& value) {
  double numbers[4];
  const char* at = value.c_str();
  for (double& part : numbers) {
    while (*at == ',' || ascii::is_space(*at)) ++at;
    char* end = nullptr;
    part = std::strtod(at, &end);
    if (end == at || !std::isfinite(part)) return std::nullopt;
    at = end;
  }
  if (numbers[2] <= 0 || numbers[3] <= 0) return std::nullopt;
  return ViewBox{numbers[2], numbers[3]};
}

// What the <img> declares for one side; other: the opposite one.
std::string img_declaration(std::string_view name, const Side& side, const Side& other, double length,
                            bool important) {
  if (side.in_own_style && !important) return {};
  std::string value = css_number(length) + "px";
  if (!side.relative.empty())
    value = side.relative;
  else if (!side.in_fonts.empty())
    value = side.in_fonts;
  else if (!side.length && !other.relative.empty())
    value = "auto";
  return std::string(name) + ':' + value + (important ? "!important;" : ";");
}

}  // namespace

std::string attribute_value(const Token& token, std::string_view name) {
  std::string out;
  if (const Attribute* attribute = token.find(name))
    decode_references(attribute->value, ReferenceContext::attribute, out);
  return out;
}

std::string css_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  std::string out(text);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

SvgBox svg_box(const Token& root, std::string_view rules, bool important) {
  SvgBox box;
  Side width, height;
  read_attribute(root, "width", width);
  read_attribute(root, "height", height);
  bool display_important = false;
  for (const bool own_style : {false, true}) {
    const std::string style = own_style ? attribute_value(root, "style") : std::string(rules);
    std::vector<css::Declaration> declarations;
    css::read_declarations(style, declarations);
    for (const css::Declaration& declaration : declarations) {
      if (ascii::iequals(declaration.property, "width")) read_declaration(declaration, own_style, width);
      if (ascii::iequals(declaration.property, "height")) read_declaration(declaration, own_style, height);
      if (ascii::iequals(declaration.property, "max-width")) width.maximum = css_length(declaration.value);
      if (ascii::iequals(declaration.property, "max-height")) height.maximum = css_length(declaration.value);
      if (ascii::iequals(declaration.property, "display") && (!display_important || declaration.important)) {
        display_important = declaration.important;
        box.hidden = ascii::iequals(declaration.value, "none");
      }
    }
  }
  box.hidden = box.hidden || width.length == 0.0 || height.length == 0.0;

  const std::optional<ViewBox> shape = view_box(attribute_value(root, "viewbox"));
  std::optional<double> known_width = width.length, known_height = height.length;
  if (!known_width && !known_height && !width.relative.empty()) known_width = width.maximum;
  box.width = shape ? shape->width : kDefaultWidth;
  box.height = shape ? shape->height : kDefaultHeight;
  if (known_width) {
    if (shape && !known_height) box.height *= *known_width / box.width;
    box.width = *known_width;
  }
  if (known_height) {
    if (shape && !known_width) box.width *= *known_height / box.height;
    box.height = *known_height;
  }
  if (width.maximum && *width.maximum > 0 && box.width > *width.maximum) {
    if (!known_height) box.height *= *width.maximum / box.width;
    box.width = *width.maximum;
  }
  if (height.maximum && *height.maximum > 0 && box.height > *height.maximum) {
    if (!known_width) box.width *= *height.maximum / box.height;
    box.height = *height.maximum;
  }
  box.width = std::max(box.width, 1.0);
  box.height = std::max(box.height, 1.0);
  box.style = img_declaration("width", width, height, box.width, important) +
              img_declaration("height", height, width, box.height, important);
  return box;
}

}  // namespace pixmilter::html
