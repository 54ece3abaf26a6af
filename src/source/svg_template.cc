#include "source/svg_template.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/percent.h"

namespace pixmilter::source {
namespace {

constexpr std::size_t kLongestName = 100;
constexpr char32_t kNone = 0xFFFFFFFF;

// The next character of UTF-8, which goes from text; kNone where there is none.
char32_t take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return kNone;
  char32_t value = first & (0x7F >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return kNone;
    value = value << 6 | (byte(i) & 0x3F);
  }
  static constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[size]) return kNone;
  text.remove_prefix(size);
  return value;
}

// Char of XML 1.0.
bool xml_character(char32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
         (c >= 0x10000 && c <= 0x10FFFF);
}

bool is_text(std::string_view text) {
  while (!text.empty())
    if (!xml_character(take_character(text))) return false;
  return true;
}

// Markup characters by name, because a numeric reference to one is markup again within an entity's
// declaration. Other characters by number, which means the same in a document of any charset.
void append_escaped(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const char32_t c = take_character(text);
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        if (c >= 0x20 && c < 0x7F)
          out.push_back(static_cast<char>(c));
        else
          out.append("&#").append(std::to_string(static_cast<std::uint32_t>(c))).append(";");
    }
  }
}

std::optional<std::string> form_decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent::decoded(spaced);
}

// Beginning or inside of a name.
bool name_begins(char c) { return ascii::is_alpha(c) || c == '_'; }
bool name_goes_on(char c) { return ascii::is_alnum(c) || c == '_' || c == '-' || c == '.'; }

struct Placeholder {
  std::string_view name;
  std::size_t size = 0;  // with its braces
};

// The placeholder that text, which begins with "{{", begins with.
std::optional<Placeholder> placeholder(std::string_view text) {
  std::size_t at = 2;
  const auto skip_blanks = [&] {
    for (std::size_t blanks = 0; at < text.size() && ascii::is_space(text[at]) && blanks < kLongestName;
         ++blanks)
      ++at;
  };
  skip_blanks();
  const std::size_t begin = at;
  if (at == text.size() || !name_begins(text[at])) return std::nullopt;
  while (at < text.size() && name_goes_on(text[at]) && at - begin < kLongestName) ++at;
  const std::string_view name = text.substr(begin, at - begin);
  skip_blanks();
  if (text.substr(at, 2) != "}}") return std::nullopt;
  return Placeholder{name, at + 2};
}

}  // namespace

Result<TemplateValues> read_query(std::string_view query) {
  TemplateValues values;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::optional<std::string> name = form_decoded(pair.substr(0, equals));
    std::optional<std::string> value = form_decoded(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return Error{"a percent sign without two hexadecimal digits in the values"};
    if (!is_text(*name) || !is_text(*value)) return Error{"a value that is no text in UTF-8"};
    const bool added = values.emplace(std::move(*name), std::move(*value)).second;
    if (!added) return Error{"two values for one name"};
  }
  return values;
}

Result<std::string> fill_template(std::string_view svg, const TemplateValues& values,
                                  std::uint64_t max_bytes) {
  std::string out;
  out.reserve(svg.size());
  for (;;) {
    const std::size_t braces = std::min(svg.find("{{"), svg.size());
    out.append(svg.substr(0, braces));
    svg.remove_prefix(braces);
    if (svg.empty()) break;
    const std::optional<Placeholder> found = placeholder(svg);
    if (!found) {
      out.push_back(svg.front());
      svg.remove_prefix(1);
      continue;
    }
    const auto value = values.find(found->name);
    if (value == values.end()) return Error{"no value for {{" + std::string(found->name) + "}}"};
    append_escaped(value->second, out);
    if (out.size() > max_bytes) break;
    svg.remove_prefix(found->size);
  }
  if (out.size() > max_bytes)
    return Error{"filled in, it is larger than [assets] max_bytes = " + std::to_string(max_bytes)};
  return out;
}

}  // namespace pixmilter::source
