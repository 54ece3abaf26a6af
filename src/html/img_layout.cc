#include "html/img_layout.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "html/css.h"

namespace pixmilter::html {
namespace {

// Properties that place a box. What begins with the name and a hyphen is of the same family; an <svg> that
// no rule styles has the initial values.
struct Family {
  std::string_view name;
  std::string_view initial;
};
constexpr Family kFamilies[] = {
    {"display", "inline"},  {"float", "none"},      {"clear", "none"},
    {"position", "static"}, {"margin", "0"},        {"padding", "0"},
    {"border", "0"},        {"border-radius", "0"}, {"vertical-align", "baseline"},
    {"min-width", "0"},     {"max-width", "none"},  {"min-height", "0"},
    {"max-height", "none"}, {"background", "none"}, {"visibility", "visible"},
};

const Family* family_of(std::string_view property) {
  // Corners are no edges: `border: 0` leaves them round.
  if (ascii::istarts_with(property, "border") && ascii::to_lower(property).ends_with("radius"))
    property = "border-radius";
  const Family* found = nullptr;
  for (const Family& family : kFamilies)
    if (ascii::istarts_with(property, family.name) &&
        (property.size() == family.name.size() || property[family.name.size()] == '-') &&
        (found == nullptr || found->name.size() < family.name.size()))
      found = &family;
  return found;
}

// Longer values, and more declarations of one family, say nothing about a box that a page would need.
constexpr std::size_t kMaxValue = 64;
constexpr std::size_t kMaxDeclarations = 16;

struct Said {
  std::vector<std::pair<std::string, std::string>> declarations;  // property and value, the stronger later
  bool important = false;

  bool operator==(const Said&) const = default;
  bool empty() const { return declarations.empty(); }
};

bool is_plain(std::string_view value) {
  return value.size() <= kMaxValue &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~' && c != '\\'; });
}

Said said_of(const Family& family, const std::vector<css::Declaration>& declarations) {
  Said out;
  for (const bool important : {false, true})
    for (const css::Declaration& declaration : declarations) {
      if (declaration.important != important || family_of(declaration.property) != &family ||
          !is_plain(declaration.value))
        continue;
      const std::string property = ascii::to_lower(declaration.property);
      std::erase_if(out.declarations, [&](const auto& earlier) { return earlier.first == property; });
      if (out.declarations.size() >= kMaxDeclarations) continue;
      out.declarations.emplace_back(property, declaration.value);
      out.important = out.important || important;
    }
  return out;
}

std::vector<css::Declaration> declarations_of(std::string_view style) {
  std::vector<css::Declaration> out;
  css::read_declarations(style, out);
  return out;
}

bool is_initial(const Family& family, const Said& said) {
  return std::all_of(said.declarations.begin(), said.declarations.end(), [&](const auto& declaration) {
    return declaration.second == family.initial || (family.name == "border" && declaration.second == "none");
  });
}

}  // namespace

std::string img_layout(const ImgRules& rules, std::string_view own_style) {
  const auto own = declarations_of(own_style), as_svg = declarations_of(rules.as_svg),
             as_svg_anywhere = declarations_of(rules.as_svg_anywhere),
             as_img_anywhere = declarations_of(rules.as_img_anywhere);
  std::string out;
  for (const Family& family : kFamilies) {
    const Said img = said_of(family, as_img_anywhere), svg = said_of(family, as_svg_anywhere);
    const Said wanted = said_of(family, as_svg), attribute = said_of(family, own);
    if (img == svg || (wanted.empty() && is_initial(family, img))) continue;
    const bool important = img.important || wanted.important;
    const auto say = [&](std::string_view property, std::string_view value) {
      out += std::string(property) + ':' + std::string(value) + (important ? "!important;" : ";");
    };
    if (!img.empty()) say(family.name, family.initial);
    for (const auto& [property, value] : wanted.declarations) say(property, value);
    // The element's own style follows by itself, unless it has to overcome what is important.
    if (important && (attribute.important || !wanted.important))
      for (const auto& [property, value] : attribute.declarations) say(property, value);
  }
  return out;
}

bool overrides_size(std::string_view as_img_anywhere) {
  for (const css::Declaration& declaration : declarations_of(as_img_anywhere))
    if (declaration.important &&
        (ascii::iequals(declaration.property, "width") || ascii::iequals(declaration.property, "height")))
      return true;
  return false;
}

bool is_box_property(std::string_view property) {
  return ascii::iequals(property, "width") || ascii::iequals(property, "height") ||
         family_of(property) != nullptr;
}

}  // namespace pixmilter::html
