// An <svg> and the <img> in its place are not styled alike: rules for `img`, which most newsletters have,
// would move, shrink or hide the picture, and rules for `svg` would no longer reach it. What follows from
// that for the box is said in the <img>'s own style.
#pragma once

#include <string>
#include <string_view>

namespace pixmilter::html {

// Declarations in cascading order, as SvgRules::style_for() gives them, for the element as an <svg> and as
// an <img>: those that hold on a screen of any size, and all of them with those for some screens only.
struct ImgRules {
  std::string_view as_svg;
  std::string_view as_svg_anywhere;
  std::string_view as_img_anywhere;
};

// The declarations that the <img> needs to lie where the <svg> lay, width and height aside. own_style: the
// element's style attribute (character references resolved), which the <img> has as well.
std::string img_layout(const ImgRules& rules, std::string_view own_style);

// Whether some rule sets width or height of images in a way that only !important withstands.
bool overrides_size(std::string_view as_img_anywhere);

// The properties of a box that SvgRules reads.
bool is_box_property(std::string_view property);

}  // namespace pixmilter::html
