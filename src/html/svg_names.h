// The names of SVG in the case that XML needs: HTML parsers take them in any case and put them right
// (HTML standard, section 13.2.6.1, "adjust SVG attributes", and 13.2.6.5).
#pragma once

#include <string>
#include <string_view>

namespace pixmilter::html {

// lower: the name in lower case. Names that have no capitals come back as they are.
std::string svg_element_name(std::string_view lower);
std::string svg_attribute_name(std::string_view lower);

}  // namespace pixmilter::html
