// [fetch] headers_file: headers that go to certain hosts and to no other, such as a token.
//
// A line is `HOST NAME: VALUE`; HOST is a host with a port where it is not the scheme's own, and a scheme
// where it is not https: a token does not travel in the clear because somebody left out a letter. Lines that
// begin with # and empty ones are passed over. Read by the fetch process alone, and never logged.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/url.h"

namespace pixmilter::source {

struct HostHeader {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;
  std::string field;  // "Name: value"
  bool belongs_to(const Url& url) const {
    return url.scheme == scheme && url.host == host && url.port == port;
  }
};

// Error: "line 3: ..."; the values are not in it.
Result<std::vector<HostHeader>> parse_host_headers(std::string_view text);

// Reads a whole file of ours, at most max bytes. Error: with its path.
Result<std::string> read_whole_file(const std::string& path, std::size_t max, bool secret);

// Reads and parses the file. Refused as well: one that others than its owner and group can read or write.
Result<std::vector<HostHeader>> read_host_headers(const std::string& path);

}  // namespace pixmilter::source
