// ForeignContent: whether the tokenizer stands in SVG or MathML, where <style> or <title> are ordinary
// elements, CDATA sections exist, and certain HTML tags end it all (HTML standard, section 13.2.6.5).
//
// It is as much of tree construction as the tokenizer cannot do without: a stack of what is open from the
// outermost <svg> or <math> inwards, HTML within integration points included, and for the HTML around it
// how many elements of each name are open.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "html/tags.h"

namespace pixmilter::html {

class ForeignContent {
 public:
  // Elements nested deeper than this are counted, not remembered (browsers stop at 512 as well).
  static constexpr std::size_t kMaxDepth = 512;

  // Told of each start and end tag in order.
  struct StartTag {
    std::string_view name;
    Tag tag = Tag::other;
    bool self_closing = false;
    bool html_annotation = false;  // annotation-xml whose encoding says HTML
    bool font_attributes = false;  // font with color, face or size
  };
  // Whether the element belongs to SVG or MathML, an <svg> or <math> in HTML included.
  bool start(const StartTag& tag);
  void end(std::string_view name, Tag tag);

  // Open elements from the outermost <svg> or <math> inwards. 0: plain HTML.
  std::size_t depth() const { return stack_.size() + overflow_; }
  // The next tag is read as SVG or MathML, not as HTML.
  bool foreign() const {
    return !stack_.empty() && stack_.back().kind != Kind::html && !stack_.back().integration_point;
  }
  // A CDATA section may stand here.
  bool cdata_allowed() const { return !stack_.empty() && stack_.back().kind != Kind::html; }

 private:
  enum class Kind : std::uint8_t { svg, math, html };
  struct Element {
    std::string_view name;
    Kind kind;
    bool integration_point;  // HTML may stand in it (foreignObject, desc, title, mtext, ...)
  };
  void push(const StartTag& tag, Kind kind);
  void start_inner_html(const StartTag& tag);
  void break_out();

  std::vector<Element> stack_;
  std::size_t overflow_ = 0;                          // open elements beyond kMaxDepth
  std::size_t overflow_svg_ = 0;                      // of these, how many are <svg>
  std::array<std::uint32_t, kTagCount> html_open_{};  // HTML elements outside all foreign content
};

}  // namespace pixmilter::html
