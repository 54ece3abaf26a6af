// URL: an http or https address, taken apart and in its normal form.
//
// What is judged has to be what is asked for: two readers that take a URL apart in two ways are how a list of
// allowed hosts is got round. So this reader takes only what can be read in one way. User names, hosts with
// escapes, numbers that are addresses in disguise (0x7f.1), backslashes and paths that climb once somebody
// decodes them again are refused, never repaired.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pixmilter {

struct Url {
  // No URL is longer, in bytes, in any form.
  static constexpr std::size_t kMaxSize = 8192;

  std::string scheme;      // "http" or "https"
  std::string host;        // in lower case without a final dot; "192.0.2.1"; "[2001:db8::1]"
  std::uint16_t port = 0;  // never 0
  std::string path;        // begins with "/"; no dot segments, escapes only where they are needed
  std::string query;       // with its "?", or empty

  // As it is asked for: without the scheme's own port.
  std::string text() const;
  // The host is an address, not a name.
  bool is_address() const;
};

// Takes a URL apart. Spaces and other letters in path and query are escaped, as browsers do it; white space
// round the URL and a fragment are left out. Error: why not, in words that can follow the URL.
Result<Url> parse_url(std::string_view text);

// The parts of a URL one by one, for what is not a whole one. Each gives the normal form.
Result<std::string> normal_host(std::string_view host);
Result<std::string> normal_path(std::string_view path);
Result<std::string> normal_query(std::string_view query);
std::uint16_t default_port(std::string_view scheme);
// "443"; 0 where it is none.
std::uint16_t parse_port(std::string_view text);

}  // namespace pixmilter
