// Percent-encoding as URLs have it (RFC 3986 section 2.1).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"

namespace pixmilter::percent {

// Decodes once. Nothing where a percent sign is not followed by two hexadecimal digits.
inline std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? ascii::hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? ascii::hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

// Decodes once what can be; a percent sign that is no escape stays.
inline std::string decoded_where_valid(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t escape = std::min(text.find('%', at), text.size());
    out.append(text.substr(at, escape - at));
    at = escape;
    if (at == text.size()) break;
    const int high = at + 1 < text.size() ? ascii::hex_value(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? ascii::hex_value(text[at + 2]) : -1;
    if (high < 0 || low < 0) {
      out.push_back('%');
      ++at;
      continue;
    }
    out.push_back(static_cast<char>(high * 16 + low));
    at += 3;
  }
  return out;
}

}  // namespace pixmilter::percent
