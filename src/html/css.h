// A scanner for CSS: finds the images that a style sheet or a style attribute names, after the
// tokenization of CSS Syntax Level 3 (section 4).
//
// It knows strings, comments, escapes, url() quoted and bare, image-set(). It builds no rules, it only
// knows where a value stands: URLs in the preludes of at-rules (@import, @namespace) and all that is in
// @font-face are no images and are left alone, and so are the URLs of properties that name something else
// (behavior, filter) and those that point into the document itself (#fragment).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "html/reference.h"

namespace pixmilter::html::css {

// Offsets into the scanned text.
struct Image {
  Range range;             // the whole url(...), or the string with its quotes
  Range url;               // the URL as written, without quotes and white space, not empty
  bool is_string = false;  // a bare string in image-set()
};

// Appends the images of a style sheet or of the declarations of a style attribute to out, in order.
// Returns how many bytes were looked at, counting each time: never more than a small multiple of the size.
std::size_t find_images(std::string_view css, std::vector<Image>& out);

// Appends text with CSS escapes resolved, as in a string or a bare URL.
void unescape(std::string_view text, std::string& out);

// One declaration of a style attribute.
struct Declaration {
  std::string_view property;  // as written
  std::string_view value;     // as written, without white space at its ends and without !important
  bool important = false;
};

// Appends the declarations of a style attribute whose character references are resolved.
void read_declarations(std::string_view style, std::vector<Declaration>& out);

}  // namespace pixmilter::html::css
