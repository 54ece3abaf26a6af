#include "html/svg_rules.h"

#include <algorithm>

#include "base/ascii.h"
#include "html/css.h"
#include "html/css_lexer.h"
#include "html/img_layout.h"

namespace pixmilter::html {
namespace {

using css::CssLexer;
using css::CssToken;
using css::Kind;

constexpr std::size_t kIdWeight = 1 << 20, kClassWeight = 1 << 10, kTypeWeight = 1;

std::string box_declarations(std::string_view body) {
  std::vector<css::Declaration> declarations;
  css::read_declarations(body, declarations);
  std::string out;
  for (const css::Declaration& declaration : declarations)
    if (is_box_property(declaration.property))
      out += std::string(declaration.property) + ':' + std::string(declaration.value) +
             (declaration.important ? "!important;" : ";");
  return out;
}

}  // namespace

SvgRules::SvgRules(std::string_view sealed_css) {
  CssLexer lexer(sealed_css);
  std::size_t selector_begin = 0;
  for (CssToken token; lexer.next(token) && rules_.size() < kMaxRules;) {
    if (token.kind != Kind::mark || token.mark != '{') continue;
    const std::string_view selectors = sealed_css.substr(selector_begin, token.range.begin - selector_begin);
    const std::size_t body = token.range.end;
    std::size_t end = body;
    for (std::size_t depth = 1; depth > 0 && lexer.next(token); end = token.range.begin) {
      if (token.kind != Kind::mark) continue;
      if (token.mark == '{') ++depth;
      if (token.mark == '}') --depth;
    }
    selector_begin = token.range.end;
    const std::string declarations = box_declarations(sealed_css.substr(body, end - body));
    if (declarations.empty()) continue;
    for (std::string_view rest = selectors; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (Rule rule; read_selector(ascii::trim(rest.substr(0, comma)), rule)) {
        rule.declarations = declarations;
        rules_.push_back(std::move(rule));
      }
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  std::stable_sort(rules_.begin(), rules_.end(),
                   [](const Rule& a, const Rule& b) { return a.specificity < b.specificity; });
}

bool SvgRules::read_selector(std::string_view text, Rule& rule) {
  rule.specificity = 0;
  CssLexer lexer(text);
  bool fresh = true, child = false, class_next = false;
  for (CssToken token; lexer.next(token);) {
    const std::string_view written = text.substr(token.range.begin, token.range.size());
    if (token.kind == Kind::space) {
      fresh = true;
      continue;
    }
    if (token.kind == Kind::mark && token.mark == '>') {
      fresh = child = true;
      continue;
    }
    if (fresh) {
      if (rule.selector.size() >= kMaxCompounds) return false;
      rule.selector.push_back({{}, {}, {}, child && !rule.selector.empty()});
      fresh = child = false;
    }
    Compound& compound = rule.selector.back();
    std::string name;
    if (token.kind == Kind::ident && class_next) {
      css::unescape(written, compound.classes.emplace_back());
      rule.specificity += kClassWeight;
      class_next = false;
    } else if (token.kind == Kind::ident) {
      css::unescape(written, compound.name);
      compound.name = ascii::to_lower(compound.name);
      rule.specificity += kTypeWeight;
    } else if (token.kind == Kind::other_name && written.starts_with('#')) {
      css::unescape(written.substr(1), compound.id);
      rule.specificity += kIdWeight;
    } else if (token.kind == Kind::mark && token.mark == '.') {
      class_next = true;
    } else if (token.kind != Kind::mark || token.mark != '*') {
      return false;
    }
  }
  return !rule.selector.empty() && !class_next;
}

bool SvgRules::matches(const Compound& compound, const Element& element) {
  if (!compound.name.empty() && compound.name != element.name) return false;
  if (!compound.id.empty() && compound.id != element.id) return false;
  return std::all_of(compound.classes.begin(), compound.classes.end(), [&](const std::string& wanted) {
    return std::find(element.classes.begin(), element.classes.end(), wanted) != element.classes.end();
  });
}

// From the right: which elements may stand for each compound, given those that may for the one after it.
bool SvgRules::matches(const std::vector<Compound>& selector, const std::vector<Element>& chain) {
  if (!matches(selector.back(), chain.back())) return false;
  std::vector<bool> here(chain.size(), false);
  here.back() = true;
  for (std::size_t i = selector.size() - 1; i > 0; --i) {
    std::vector<bool> before(chain.size(), false);
    bool below = false, any = false;
    for (std::size_t k = chain.size() - 1; k > 0; --k) {
      below = below || here[k];
      const bool related = selector[i].child ? here[k] : below;
      before[k - 1] = related && matches(selector[i - 1], chain[k - 1]);
      any = any || before[k - 1];
    }
    if (!any) return false;
    here = std::move(before);
  }
  return true;
}

std::string SvgRules::style_for(const std::vector<Element>& chain) const {
  std::string out;
  for (const Rule& rule : rules_)
    if (matches(rule.selector, chain)) out += rule.declarations;
  return out;
}

}  // namespace pixmilter::html
