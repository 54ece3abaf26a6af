// Lines of a message end within 998 characters (RFC 5322, 2.1.1), and in 7bit and 8bit parts no encoding
// breaks them. A long data: URI had line breaks of its own; where it goes, what stood on many lines comes to
// stand on one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "html/reference.h"
#include "mail/edit.h"

namespace pixmilter::core {

// What becomes of a range of the text. reference: what stood there; nullptr where no line may be broken.
struct Replacement {
  html::Range range;
  std::string text;
  const html::Reference* reference;
};

// Where lines of text, none of which is too long, would be so after the replacements, breaks them where HTML
// and CSS have white space anyway: before a reference, or within the <img> that takes the place of an inline
// svg. eol: the message's line end. Line breaks outside of the ranges go to breaks; the replacements get
// sorted. Takes time linear in the text.
void keep_lines_short(std::string_view text, std::string_view eol, std::vector<Replacement>& replacements,
                      mail::EditList& breaks);

}  // namespace pixmilter::core
