#include "source/data_uri.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/percent.h"

namespace pixmilter::source {
namespace {

constexpr std::string_view kScheme = "data:";
constexpr std::size_t kBlock = 32;  // characters judged at a time

// URL parsers drop these wherever they stand.
bool is_dropped(char c) { return c == '\t' || c == '\n' || c == '\r'; }

// What stands behind "data:"; nothing where the scheme is another.
std::optional<std::string_view> after_scheme(std::string_view url) {
  std::string_view text = ascii::trim(url);
  for (const char wanted : kScheme) {
    while (!text.empty() && is_dropped(text.front())) text.remove_prefix(1);
    if (text.empty() || ascii::lower(text.front()) != wanted) return std::nullopt;
    text.remove_prefix(1);
  }
  return text;
}

// Where the comma stands that ends the header: the first one outside a quoted parameter value.
std::size_t find_comma(std::string_view text) {
  const std::size_t first = text.find(',');
  const std::size_t quote = text.substr(0, first).find("=\"");
  if (first == std::string_view::npos || quote == std::string_view::npos) return first;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == ',' && !quoted) return i;
  }
  return first;
}

struct Header {
  std::string media_type = "text/plain";
  std::vector<std::pair<std::string, std::string>> parameters;
  bool base64 = false;
};

// Where the ";" stands that ends the first item: outside of quotes.
std::size_t item_end(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == ';' && !quoted) return i;
  }
  return text.size();
}

std::string parameter_value(std::string_view text) {
  text = ascii::trim(text);
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"'))
    text = text.substr(1, text.size() - 2);
  return percent::decoded_where_valid(text);
}

Header read_header(std::string_view text) {
  Header header;
  std::string plain;
  for (const char c : text)
    if (!is_dropped(c)) plain.push_back(c);
  std::string_view rest = plain;
  for (bool first = true; !rest.empty(); first = false) {
    const std::size_t end = item_end(rest);
    const std::string_view item = ascii::trim(rest.substr(0, end));
    if (first) {
      if (!item.empty()) header.media_type = ascii::to_lower(item);
    } else if (ascii::iequals(item, "base64")) {
      header.base64 = true;
    } else if (const std::size_t equals = item.find('='); equals != std::string_view::npos) {
      header.parameters.emplace_back(ascii::to_lower(ascii::trim(item.substr(0, equals))),
                                     parameter_value(item.substr(equals + 1)));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return header;
}

// Whether the text, perhaps percent-encoded, begins as markup does.
bool is_markup(std::string_view text) {
  const std::string head = percent::decoded_where_valid(text.substr(0, 64));
  return ascii::trim(head).starts_with('<');
}

// Without the fragment. Browsers end a URL at the first "#", but SVG as plain text is full of colours and
// references that nobody escaped: there only what follows the end of the markup is a fragment.
std::string_view without_fragment(std::string_view text, bool markup) {
  if (!markup) return text.substr(0, text.find('#'));
  const std::size_t mark = text.rfind('#');
  if (mark == std::string_view::npos) return text;
  const std::string_view before = ascii::trim(text.substr(0, mark));
  const bool complete = before.ends_with('>') || ascii::iends_with(before, "%3e");
  const std::string_view after = text.substr(mark);
  const bool goes_on =
      after.find('>') != std::string_view::npos || ascii::ifind(after, "%3e") != std::string_view::npos;
  return complete && !goes_on ? text.substr(0, mark) : text;
}

// Without branches, so that blocks are judged at once.
constexpr unsigned is_base64(unsigned char c) {
  const auto letter = static_cast<unsigned char>((c | 0x20U) - 'a'),
             digit = static_cast<unsigned char>(c - '0');
  return static_cast<unsigned>(letter < 26) | static_cast<unsigned>(digit < 10) |
         static_cast<unsigned>(c == '+') | static_cast<unsigned>(c == '/');
}

bool all_base64(std::string_view text) {
  std::size_t at = 0;
  for (; at + kBlock <= text.size(); at += kBlock) {
    const char* const block = text.data() + at;
    unsigned good = 1;
    for (std::size_t i = 0; i < kBlock; ++i) good &= is_base64(static_cast<unsigned char>(block[i]));
    if (good == 0) return false;
  }
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                     [](char c) { return is_base64(static_cast<unsigned char>(c)) != 0; });
}

// The bits that the last character before one or two "=" must leave zero.
bool last_is_canonical(char last, std::size_t padding) {
  return std::string_view(padding == 1 ? "AEIMQUYcgkosw048" : "AQgw").find(last) != std::string_view::npos;
}

}  // namespace

bool is_data_uri(std::string_view url) { return after_scheme(url).has_value(); }

Result<DataUri> read_data_uri(std::string_view url) {
  const std::optional<std::string_view> text = after_scheme(url);
  if (!text) return Error{"not a data: URI"};
  const std::size_t comma = find_comma(*text);
  if (comma == std::string_view::npos) return Error{"data: URI without a comma"};
  Header header = read_header(text->substr(0, comma));
  const std::string_view payload = text->substr(comma + 1);

  DataUri out;
  out.media_type = std::move(header.media_type);
  out.parameters = std::move(header.parameters);
  if (header.base64) {
    const std::string_view encoded = without_fragment(payload, false);
    const bool escaped = encoded.find('%') != std::string_view::npos;
    std::optional<std::string> bytes =
        base64::decode_forgiving(escaped ? percent::decoded_where_valid(encoded) : encoded);
    if (!bytes) return Error{"data: URI with malformed base64"};
    out.bytes = std::move(*bytes);
  } else {
    out.bytes = percent::decoded_where_valid(without_fragment(payload, is_markup(payload)));
  }
  if (out.bytes.empty()) return Error{"data: URI with nothing in it"};
  return out;
}

std::optional<std::string_view> clean_base64_payload(std::string_view url) {
  const std::optional<std::string_view> text = after_scheme(url);
  if (!text) return std::nullopt;
  const std::size_t comma = find_comma(*text);
  if (comma == std::string_view::npos || !read_header(text->substr(0, comma)).base64) return std::nullopt;
  const std::string_view payload = text->substr(comma + 1);
  if (payload.empty() || payload.size() % 4 != 0) return std::nullopt;
  std::string_view digits = payload;
  while (digits.size() + 2 > payload.size() && digits.ends_with('=')) digits.remove_suffix(1);
  if (!all_base64(digits)) return std::nullopt;
  const std::size_t padding = payload.size() - digits.size();
  if (padding > 0 && !last_is_canonical(digits.back(), padding)) return std::nullopt;
  return payload;
}

}  // namespace pixmilter::source
