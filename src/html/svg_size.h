// How large an inline picture is shown: its attributes, the rules of the style sheets, its style, and
// where all of them are silent its viewBox.
#pragma once

#include <string>
#include <string_view>

#include "html/tokenizer.h"

namespace pixmilter::html {

// An attribute's value with its character references resolved; empty where there is none.
std::string attribute_value(const Token& token, std::string_view name);

// A number as CSS and XML write it: three decimals at the most.
std::string css_number(double value);

struct SvgBox {
  double width = 0;  // CSS px, at least 1
  double height = 0;
  bool hidden = false;  // not shown at all
  // What an <img> has to declare, besides the element's own style, to be as large: "width:24px;height:auto;"
  std::string style;
};

// root: the <svg> tag; rules: declarations of the style sheets for it (SvgRules). A size relative to
// something outside counts as none, but max-width bounds it, and the <img> keeps it relative. important: the
// <img> has to insist on its size.
SvgBox svg_box(const Token& root, std::string_view rules, bool important);

}  // namespace pixmilter::html
