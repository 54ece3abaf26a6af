// What an SVG refers to outside of itself: such pictures, fonts and style sheets are never loaded, and who
// misses them wants to know why.
#pragma once

#include <string>
#include <string_view>

namespace pixmilter::image {

// The first reference of an SVG, as a document or in HTML, that leads out of it, shortened and printable;
// empty: there is none. A hint for people, no parser: what a comment says counts too.
std::string outward_reference(std::string_view svg);

}  // namespace pixmilter::image
