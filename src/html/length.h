// Lengths of HTML and CSS, as far as they say how large an image is shown.
#pragma once

#include <optional>
#include <string_view>

namespace pixmilter::html {

// The size that width, height and style of one element ask for, in CSS px. What is relative to something
// outside the element (%, auto, vw) is not known here.
struct DisplayedSize {
  std::optional<double> width;
  std::optional<double> height;
};

// A width or height attribute (HTML standard, "rules for parsing dimension values"); nothing for a
// percentage or what is no number. The value with its character references resolved.
std::optional<double> attribute_length(std::string_view value);

// A width or height attribute of <svg>: a number or a CSS length.
std::optional<double> svg_length(std::string_view value);

// A CSS length: px, absolute units, em and rem at the initial font size, and 0.
std::optional<double> css_length(std::string_view value);

// Whether a CSS value is a size that depends on something outside: "100%", "50vw", "calc(100% - 2px)". There
// is nothing in it then but what such sizes are made of: it can stand in any attribute as it is.
bool is_relative_size(std::string_view value);
// Whether it is a keyword that leaves the size to others: auto, inherit, max-content, ...
bool is_size_keyword(std::string_view value);

// What a style attribute (character references resolved) changes of the size that attributes gave, and
// whether it hides the element (display: none).
struct StyledSize {
  DisplayedSize size;
  bool hidden = false;
};
StyledSize styled_size(std::string_view style, DisplayedSize from_attributes);

}  // namespace pixmilter::html
