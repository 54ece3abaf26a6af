// What header values say, decoded: addresses, dates and unstructured text (RFC 5322, RFC 2047).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::mail {

// The addresses of a From:, To: or Cc: value, groups opened; "local@domain" each, without names.
std::vector<std::string> addresses(std::string_view raw_value);

// A Subject: or the like in UTF-8, unfolded, encoded words decoded.
std::string unstructured(std::string_view raw_value);

// The time that a date of RFC 5322 names, in seconds since 1970. Nothing: it names none.
std::optional<std::int64_t> date(std::string_view raw_value);

}  // namespace pixmilter::mail
