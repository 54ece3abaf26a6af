// SVG as an HTML parser reads it, written as XML.
//
// What HTML forgives is put right on the way: attributes without quotes or twice, elements that are not
// closed, names in the wrong case, references that XML does not know. What a picture must not hold goes:
// scripts, event handlers, foreign objects, metadata, and every address but #fragments and data: images.
// Style elements go as well, because the style sheets of the whole document are added in one place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pixmilter::html {

inline constexpr std::size_t kMaxSvgDepth = 128;  // elements within each other, one <svg>

// What was written, and what it needs.
struct SvgXml {
  std::string text;
  std::vector<std::string> ids;     // defined in it
  std::vector<std::string> wanted;  // referred to with href="#id" or url(#id)
};

// Appends an element of SVG, given as UTF-8 text as it stands within an <svg> (or as the <svg> itself).
// Where root_attributes is given (well-formed: ` x="1"`), it takes the place of the first element's width,
// height, x, y and style. Error: nested deeper than kMaxSvgDepth.
Status append_svg_xml(std::string_view html, const std::string* root_attributes, SvgXml& out);

// Appends text as XML character data, or as the value of an attribute in double quotes; characters that XML
// cannot hold are dropped.
void append_xml_text(std::string_view text, std::string& out);
void append_xml_value(std::string_view text, std::string& out);

}  // namespace pixmilter::html
