#include "html/length.h"

#include <algorithm>
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
  constexpr std::array<std::pair<std::string_view, double>, 10> kUnits = {{{"px", 1},
                                                                           {"pt", 96.0 / 72},
                                                                           {"pc", 16},
                                                                           {"in", 96},
                                                                           {"cm", 96 / 2.54},
                                                                           {"mm", 9.6 / 2.54},
                                                                           {"q", 2.4 / 2.54},
                                                                           {"ex", kFontSize / 2},
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

bool is_relative_size(std::string_view value) {
  const auto fits = [](char c) {
    return ascii::is_alnum(c) || std::string_view(".%+-*/() ").find(c) != std::string_view::npos;
  };
  if (value.empty() || !std::all_of(value.begin(), value.end(), fits)) return false;
  for (const std::string_view function : {"calc(", "min(", "max(", "clamp("})
    if (ascii::istarts_with(value, function)) return value.ends_with(')');
  if (!ascii::is_digit(value.front()) && value.front() != '.') return false;
  const std::size_t unit = value.find_first_not_of("0123456789.");
  return unit != std::string_view::npos &&
         (value.substr(unit) == "%" ||
          std::all_of(value.begin() + static_cast<std::ptrdiff_t>(unit), value.end(), ascii::is_alpha));
}

bool is_size_keyword(std::string_view value) {
  for (const std::string_view name :
       {"auto", "inherit", "initial", "unset", "revert", "min-content", "max-content", "fit-content", "none"})
    if (ascii::iequals(value, name)) return true;
  return false;
}

StyledSize styled_size(std::string_view style, DisplayedSize from_attributes) {
  StyledSize out{from_attributes, false};
  if (style.empty()) return out;
  std::vector<css::Declaration> declarations;
  css::read_declarations(style, declarations);
  bool width_important = false, height_important = false, display_important = false;
  const auto set = [](const css::Declaration& declaration, bool& important, std::optional<double>& side) {
    if (important && !declaration.important) return;
    const std::optional<double> length = css_length(declaration.value);
    // What is no size at all counts as not written.
    if (!length && !is_relative_size(declaration.value) && !is_size_keyword(declaration.value)) return;
    important = declaration.important;
    side = length;
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
