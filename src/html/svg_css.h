// CSS of an HTML document, made ready to style a picture that stands alone: without anything that refers
// outward, and with selectors that still find what stood round the picture.
//
// URLs other than #fragments and data: become "none"; @import, @font-face and the like go, and so do media
// queries that ask for more than a screen. A type selector for an HTML element (td, div) becomes a class
// selector, because the elements round the picture come along as <g> (see inline_svg.cc).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::html {

// The class of the <g> that stands for an HTML element of this name (lower case): "pixmilter-td".
std::string stand_in_class(std::string_view element);

// A style sheet in UTF-8. Appends to out; the ids that it refers to with url(#id) go into ids.
// anywhere: media queries for screens of some sizes only stay in, as if they fitted.
void append_sealed_stylesheet(std::string_view css, std::string& out, std::vector<std::string>& ids,
                              bool anywhere = false);

// Declarations, or any attribute value in which url() may stand, with outward URLs made "none".
std::string sealed_value(std::string_view css, std::vector<std::string>& ids);

}  // namespace pixmilter::html
