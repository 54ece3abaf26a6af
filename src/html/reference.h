// References: the places in an HTML text where an image is named.
//
// scan() finds them with byte offsets into the text as it was given and changes nothing; replacement()
// says which bytes to put there instead, escaped for the place. Between them, no byte outside a
// reference is ever touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::html {

enum class Place : std::uint8_t {
  img_src,      // <img src>
  input_src,    // <input type=image src>
  srcset,       // one candidate of srcset on img or source
  background,   // background= on body and table elements
  vml_src,      // src= of v:fill, v:imagedata
  style_attr,   // url() in a style attribute
  style_block,  // url() in a <style> element
  inline_svg,   // a whole <svg> element
};
std::string_view name(Place place);

// A half-open range of bytes in the scanned text.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

// How a replacement has to be written at a place.
struct Quoting {
  char attribute_quote =
      0;  // the delimiter of the attribute value: ", ' or 0 (unquoted, or not in an attribute)
  bool in_attribute = false;
  bool in_css = false;  // the range covers the whole url(...) token, or the string in image-set()
  bool css_string = false;
  // A character reference without its semicolon may stand just before: what follows must not prolong it.
  bool after_reference = false;
};

struct Reference {
  Place place = Place::img_src;
  Range range;           // the bytes that a replacement takes the place of
  std::string_view raw;  // the URL's bytes as written (a view into the text); the element for inline_svg
  bool verbatim = true;  // raw needs no decoding: url() of it is raw itself
  Quoting quoting;
  // Displayed size in CSS px as the element's attributes or style say it, where they do.
  std::optional<double> css_width;
  std::optional<double> css_height;
};

// The URL a reference names: character references and CSS escapes resolved, white space at the ends removed.
// scratch holds the result where decoding was needed; the view lives as long as scratch and the text.
std::string_view url(const Reference& reference, std::string& scratch);

// The bytes that put new_url (ASCII, made by us: no white space, quotes, parentheses) in the reference's
// range. For an inline_svg, new_url is the whole element that takes its place (img_element()).
std::string replacement(const Reference& reference, std::string_view new_url);

// Bytes to be removed because they are addressed to us (data-pixmilter="skip").
struct Scan {
  std::vector<Reference> references;  // in ascending order of range, never overlapping
  std::vector<Range> removals;        // likewise, and disjoint from the references
  // Some style sheet holds the word: a size that an attribute gives may not be the one that is shown.
  bool sheets_say_auto = false;
  std::size_t skipped = 0;  // references left alone at the sender's wish
  // Bytes looked at, counting each time a byte is looked at again: what tests of linear time count.
  std::size_t work = 0;
};

// Finds every reference of DESIGN.md section 3. Takes time linear in the text, for any text.
Scan scan(std::string_view html);

}  // namespace pixmilter::html
