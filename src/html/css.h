// A scanner for CSS: finds the images that a style sheet or a style attribute names, after the
// tokenization of CSS Syntax Level 3 (section 4).
//
// It knows strings, comments, escapes, url() quoted and bare, image-set(); it does not build rules, it
// only knows where a value stands: URLs in the preludes of at-rules (@import, @namespace) and all that is
// in @font-face are no images and are left alone, and so are the URLs of properties that name something
// else (behavior, filter).
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
  Range url;               // the URL as written, without quotes and white space
  bool is_string = false;  // a bare string in image-set()
};

enum class Context { declarations, stylesheet };

// Appends the images of css to out, in order. Time linear in the text, for any text.
void find_images(std::string_view css, Context context, std::vector<Image>& out);

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
