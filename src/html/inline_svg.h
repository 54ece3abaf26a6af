// Inline <svg>: from an element in the midst of HTML to a picture that stands alone, and to the <img> that
// takes its place. No mail reader of note shows the former.
//
// The picture keeps what it has from its surroundings: the rules of the document's style sheets, colours
// and fonts inherited from the elements round it, and symbols that another inline <svg> defines. It loses
// what refers outward.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "html/charset.h"
#include "html/reference.h"
#include "html/svg_index.h"
#include "html/svg_rules.h"

namespace pixmilter::html {

inline constexpr std::size_t kMaxSvgBytes = 16 << 20;  // a document that is made of one inline svg
inline constexpr std::size_t kMaxSvgStyleBytes = 256
                                                 << 10;  // style sheets that come along; the rest does not
inline constexpr std::size_t kMaxSvgDefinitions = 256;   // elements fetched from other pictures for one

struct InlineSvg {
  std::string document;  // an SVG document in UTF-8, well-formed XML
  double width = 0;      // displayed size in CSS px, at least 1
  double height = 0;
  std::string style;  // declarations that give an <img> this box, where the element's own style does not
  bool hidden =
      false;  // a rule of a style sheet hides it: a sprite sheet, to be left in place; no more is said
};

// Borrows the HTML text: it outlives this. Safe to read from several threads at once.
class InlineSvgs {
 public:
  // charset: what the text is in (charset_of()).
  explicit InlineSvgs(std::string_view html, Charset charset = {CharsetKind::utf8, "UTF-8"});

  // The picture of a reference whose place is inline_svg. Errors: too large, nested too deep.
  Result<InlineSvg> read(const Reference& reference) const;

 private:
  std::string utf8(std::string_view text) const;
  std::string decoded(std::string_view raw) const;
  void add_wrappers(const std::vector<SvgIndex::Ancestor>& ancestors, std::string& open,
                    std::string& close) const;
  std::vector<SvgRules::Element> chain(const std::vector<SvgIndex::Ancestor>& ancestors, const Token& root,
                                       std::string_view name) const;

  std::string_view html_;
  Charset charset_;
  SvgIndex index_;
  std::string style_;                      // the sealed style sheets
  std::string style_element_;              // the same as XML
  std::vector<std::string> style_wanted_;  // ids that they refer to
  SvgRules rules_{{}};                     // of them, what concerns the box of a picture
  SvgRules anywhere_{{}};                  // likewise, with rules for screens of some sizes only
};

// The <img> that takes the place of the element in reference.raw: size, alternative text, class, style and
// id, all in the text's own charset. new_url as for replacement().
std::string img_element(const Reference& reference, std::string_view new_url, const InlineSvg& svg);

}  // namespace pixmilter::html
