// What a sender keeps from us: the content of an element with data-pixmilter="skip".
#pragma once

#include <cstddef>
#include <string_view>

#include "html/tokenizer.h"

namespace pixmilter::html {

// The element that data-pixmilter="skip" stands on, as long as what follows is its content. Elements of its
// name within it are counted; one that is never closed goes to the end of the text: rather a picture left
// than one taken against the sender's wish. Borrows the text that the tokens come from.
class OptedOut {
 public:
  bool holds() const { return depth_ > 0; }
  // The element opens with this start tag. Nothing where another holds already, or where it has no content.
  void begin(const Token& token);
  // For every start and end tag, before what it says counts.
  void pass(const Token& token);

 private:
  std::string_view name_;
  std::size_t depth_ = 0;
};

}  // namespace pixmilter::html
