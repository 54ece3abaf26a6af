// SvgRules: which rules of the document's style sheets say how large an inline picture is shown and where,
// or that it is not shown at all.
//
// The renderer applies the sheets to what is in the picture; the picture's own box is ours to know, because
// the <img> in its place gets that size. Selectors of types, classes and ids with descendant and child
// combinators are matched; what has attributes, pseudo-classes or siblings in it matches nothing here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::html {

class SvgRules {
 public:
  static constexpr std::size_t kMaxRules = 2000;    // with a property of a box in them; the rest is left out
  static constexpr std::size_t kMaxCompounds = 16;  // of one selector

  // A sheet as append_sealed_stylesheet() writes it.
  explicit SvgRules(std::string_view sealed_css);

  struct Element {
    std::string name;  // lower case
    std::string id;
    std::vector<std::string> classes;
  };
  // The declarations of the box for the last element of a chain (outermost first), as a style
  // attribute in cascading order: what stands later wins.
  std::string style_for(const std::vector<Element>& chain) const;

 private:
  struct Compound {
    std::string name;  // empty: any
    std::string id;
    std::vector<std::string> classes;
    bool child = false;  // of the compound before it; else a descendant
  };
  struct Rule {
    std::vector<Compound> selector;
    std::size_t specificity;
    std::string declarations;
  };
  static bool read_selector(std::string_view text, Rule& rule);
  static bool matches(const Compound& compound, const Element& element);
  static bool matches(const std::vector<Compound>& selector, const std::vector<Element>& chain);

  std::vector<Rule> rules_;  // in cascading order
};

}  // namespace pixmilter::html
