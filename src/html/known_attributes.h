// The attributes of an element that the search for pictures looks at, found in one pass.
#pragma once

#include "html/tokenizer.h"

namespace pixmilter::html {

// The first of each name, as the HTML standard has it; nullptr: not there. They point into the token, and are
// good as long as its attributes are.
struct KnownAttributes {
  const Attribute* background = nullptr;
  const Attribute* height = nullptr;
  const Attribute* hidden = nullptr;
  const Attribute* keep = nullptr;  // moz-do-not-send
  const Attribute* skip = nullptr;  // data-pixmilter
  const Attribute* src = nullptr;
  const Attribute* srcset = nullptr;
  const Attribute* style = nullptr;
  const Attribute* type = nullptr;
  const Attribute* width = nullptr;

  explicit KnownAttributes(const Token& token);
};

}  // namespace pixmilter::html
