// What of an SVG does not come out: what it refers to outside of itself (such pictures, fonts and style
// sheets are never loaded), and HTML within it, which librsvg does not draw. Who misses it wants to know why.
#pragma once

#include <string>
#include <string_view>

namespace pixmilter::image {

// The first reference of an SVG, as a document or in HTML, that leads out of it, shortened and printable;
// empty: there is none. A hint for people, no parser: what a comment says counts too.
std::string outward_reference(std::string_view svg);

// Whether HTML in a <foreignObject> is lost: not one that is empty, or that stands in a <switch> with
// something else to be drawn instead. A hint as well: what a comment says counts too.
bool loses_foreign_object(std::string_view svg);

}  // namespace pixmilter::image
