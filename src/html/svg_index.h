// SvgIndex: what the inline pictures of an HTML document share: its style sheets, the definitions that a
// <use> may name across pictures, and the elements round each picture, whose styles it inherits.
//
// Made in one pass over the document, in linear time. All views are into the document.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "html/reference.h"
#include "html/tokenizer.h"

namespace pixmilter::html {

class SvgIndex {
 public:
  explicit SvgIndex(std::string_view html);

  // The text of every <style> in document order: in HTML, and in an inline picture (there it is markup,
  // with character references). Those for other media than the screen are left out.
  struct Sheet {
    std::string_view text;
    bool in_svg;
  };
  const std::vector<Sheet>& sheets() const { return sheets_; }

  // The element of an inline picture that bears this id (as written), where there is one; the first counts.
  // An empty view when there is none.
  std::string_view definition(std::string_view id) const;

  // The HTML elements round the picture that begins at offset, outermost first. Attributes as written.
  struct Ancestor {
    std::string_view name;
    std::string_view id;
    std::string_view classes;
    std::string_view style;
  };
  std::vector<Ancestor> ancestors(std::size_t offset) const;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  static constexpr std::size_t kMaxDepth = 256;  // open elements that are remembered, HTML or SVG

  struct Node {
    Ancestor element;
    std::size_t parent;
  };
  struct OpenSvgElement {
    std::string_view name;
    std::size_t definition;  // in definitions_, or kNone
  };

  void open_html(const Token& token);
  void close_html(std::string_view name);
  void open_svg(const Token& token);
  void close_svg(std::string_view name, std::size_t end);

  std::string_view html_;
  std::vector<Sheet> sheets_;
  std::vector<Range> definitions_;
  std::unordered_map<std::string, std::size_t> by_id_;  // character references resolved
  std::vector<Node> nodes_;
  std::vector<std::size_t> open_html_;  // nodes, outermost first
  std::vector<OpenSvgElement> open_svg_;
  std::unordered_map<std::size_t, std::size_t> parents_;  // where a picture begins, and the node it is in
};

}  // namespace pixmilter::html
