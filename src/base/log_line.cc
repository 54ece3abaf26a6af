#include "base/log_line.h"

#include <array>
#include <cstdio>

#include "base/ascii.h"

namespace pixmilter::log {
namespace {

constexpr std::size_t kLongestValue = 256;

bool plain(char c) {
  return ascii::is_alnum(c) ||
         (c != '\0' && std::string_view("._-+@:/<>[]{}()*%!?&;~#^|,'").find(c) != std::string_view::npos);
}

// Takes one character off the front of a UTF-8 text; U+FFFD and one byte where there is none.
char32_t take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  static constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  char32_t point = size == 1 ? lead : size == 0 ? 0 : static_cast<char32_t>(lead & (0xFF >> (size + 1)));
  bool valid = size > 0 && size <= text.size();
  for (std::size_t i = 1; valid && i < size; ++i) {
    valid = (byte(i) & 0xC0) == 0x80;
    point = point << 6 | (byte(i) & 0x3F);
  }
  valid = valid && point >= kLeast[size] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
  text.remove_prefix(valid ? size : 1);
  return valid ? point : 0xFFFD;
}

void append_unit(char32_t unit, std::string& out) {
  std::array<char, 8> escape{};
  std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(unit & 0xFFFF));
  out += escape.data();
}

}  // namespace

Fields& Fields::add(std::string_view key, std::string_view value) {
  fields_.push_back({std::string(key), std::string(value), false});
  return *this;
}

Fields& Fields::add(std::string_view key, std::uint64_t value) {
  fields_.push_back({std::string(key), std::to_string(value), true});
  return *this;
}

std::string Fields::text() const {
  std::string out;
  for (const Field& field : fields_) {
    if (!out.empty()) out.push_back(' ');
    out.append(field.key).append("=").append(quoted(field.value));
  }
  return out;
}

std::string Fields::json() const {
  std::string out;
  for (const Field& field : fields_) {
    if (!out.empty()) out.push_back(',');
    out.append("\"").append(field.key).append("\":");
    out.append(field.number ? field.value : json_string(field.value));
  }
  return out;
}

std::string quoted(std::string_view value) {
  const bool cut = value.size() > kLongestValue;
  if (cut) value = value.substr(0, kLongestValue);
  bool bare = !value.empty() && !cut;
  for (const char c : value) bare = bare && plain(c);
  if (bare) return std::string(value);
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c < ' ' || c > '~') {
      static constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      out.append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]});
    } else {
      out.push_back(c);
    }
  }
  if (cut) out.append("...");
  out.push_back('"');
  return out;
}

std::string json_string(std::string_view value) {
  const bool cut = value.size() > kLongestValue;
  if (cut) {
    std::size_t end = kLongestValue;
    while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80) --end;
    value = value.substr(0, end);
  }
  std::string out = "\"";
  while (!value.empty()) {
    const char32_t point = take_character(value);
    if (point == '"' || point == '\\') {
      out.append({'\\', static_cast<char>(point)});
    } else if (point >= ' ' && point <= '~') {
      out.push_back(static_cast<char>(point));
    } else if (point < 0x10000) {
      append_unit(point, out);
    } else {
      append_unit(0xD800 + ((point - 0x10000) >> 10), out);
      append_unit(0xDC00 + ((point - 0x10000) & 0x3FF), out);
    }
  }
  if (cut) out.append("...");
  out.push_back('"');
  return out;
}

}  // namespace pixmilter::log
