// Conditional comments: <!--[if mso]> ... <![endif]-->, which Outlook reads as markup and all others pass
// over.
#pragma once

#include <string_view>

#include "base/ascii.h"

namespace pixmilter::html {

// The content of a conditional comment, given the comment's text; an empty view where it is an ordinary one.
inline std::string_view conditional_content(std::string_view comment) {
  if (!ascii::istarts_with(comment, "[if")) return {};
  const std::size_t close = comment.find('>');
  if (close == std::string_view::npos || comment[close - 1] != ']') return {};
  return comment.substr(close + 1);
}

}  // namespace pixmilter::html
