#include "html/length.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "html/css.h"

namespace pixmilter::html {
namespace {

constexpr double kMaxLength = 1e6;  // px; anything above is nonsense, and shall not overflow later
constexpr double kFontSize = 16;    // px, the initial font size of every mail reader

// A decimal number at the front of text, which moves past it.
std::optional<double> take_number(std::string_view& text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(value) || value < 0 || value > kMaxLength) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

std::optional<double> attribute_length(std::string_view value) {
  std::string_view text = ascii::trim(value);
  if (text.empty() || !(ascii::is_digit(text.front()) || text.front() == '.' || text.front() == '+'))
    return std::nullopt;
  const std::optional<double> number = take_number(text);
  if (!number || text.starts_with('%')) return std::nullopt;
  return number;
}

std::optional<double> svg_length(std::string_view value) {
  std::string_view text = ascii::trim(value);
  const std::optional<double> number = take_number(text);
  return number && text.empty() ? number : css_length(value);
}

std::optional<double> css_length(std::string_view value) {
  constexpr std::array<std::pair<std::string_view, double>, 8> kUnits = {{{"px", 1},
                                                                          {"pt", 96.0 / 72},
                                                                          {"pc", 16},
                                                                          {"in", 96},
                                                                          {"cm", 96 / 2.54},
                                                                          {"mm", 9.6 / 2.54},
                                                                          {"em", kFontSize},
                                                                          {"rem", kFontSize}}};
  std::string_view text = ascii::trim(value);
  const std::optional<double> number = take_number(text);
  if (!number) return std::nullopt;
  if (text.empty()) return *number == 0 ? number : std::nullopt;
  for (const auto& [unit, pixels] : kUnits)
    if (ascii::iequals(text, unit)) return *number * pixels;
  return std::nullopt;
}

StyledSize styled_size(std::string_view style, DisplayedSize from_attributes) {
  StyledSize out{from_attributes, false};
  if (style.empty()) return out;
  std::vector<css::Declaration> declarations;
  css::read_declarations(style, declarations);
  bool width_important = false, height_important = false, display_important = false;
  const auto set = [](const css::Declaration& declaration, bool& important, std::optional<double>& side) {
    if (important && !declaration.important) return;
    important = declaration.important;
    side = css_length(declaration.value);
  };
  for (const css::Declaration& declaration : declarations) {
    if (ascii::iequals(declaration.property, "width")) set(declaration, width_important, out.size.width);
    if (ascii::iequals(declaration.property, "height")) set(declaration, height_important, out.size.height);
    if (ascii::iequals(declaration.property, "display") && (!display_important || declaration.important)) {
      display_important = declaration.important;
      out.hidden = ascii::iequals(declaration.value, "none");
    }
  }
  return out;
}

}  // namespace pixmilter::html
