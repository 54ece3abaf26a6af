// Edits beyond a reference itself: an element that goes with its picture, and the alt of an element whose
// picture another one stands for.
//
// scan() says where pictures are named; here the tags round those places are read once more, so that what
// goes leaves valid HTML behind: no <img> without a source, no empty srcset, no attribute without its name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "html/reference.h"

namespace pixmilter::html {

// What shall become of a reference and of what stands round it.
struct Fate {
  enum class Kind { stays, goes, told } kind = Kind::stays;
  std::string_view reason;  // told: UTF-8, said in the element's alt
};

struct ElementEdit {
  Range range;
  std::string replacement;
};

// The edits that carry the fates out, ascending and never overlapping. fates: one for each of the references
// of a scan of this text. What goes:
//   img, input, VML      the element
//   srcset               the candidate; with the last one the attribute, and a <source> whole
//   background           the attribute
//   url() in CSS         becomes none
//   inline <svg>         the element
// An edit may cover other references of the same element: they go with it.
std::vector<ElementEdit> element_edits(std::string_view html, const std::vector<Reference>& references,
                                       const std::vector<Fate>& fates);

// An element that stands alone, such as img_element() writes, with its alt said anew.
std::string with_alt(std::string_view element, std::string_view reason);

}  // namespace pixmilter::html
