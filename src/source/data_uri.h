// data: URIs (RFC 2397, and the "data: URL processor" of the WHATWG Fetch standard): the first source of
// image bytes.
//
// Read are all spellings that browsers read, and those that senders write all the same: parameters in any
// order, the URL-safe alphabet, line ends and tabs anywhere, plain-text SVG with an unescaped "#".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pixmilter::source {

struct DataUri {
  std::string
      media_type;  // lower case, without parameters; "text/plain" where none is given. A label, no proof
  // Name and value of each parameter but "base64", in their order: quotes removed, percent-encoding decoded.
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string bytes;  // never empty
};

// Whether the URL's scheme is data:.
bool is_data_uri(std::string_view url);

// The bytes in a data: URI. Errors: no data: URI, no comma, malformed base64, nothing in it. Linear time.
Result<DataUri> read_data_uri(std::string_view url);

// The payload of a base64 data: URI that can be cut into mail lines as it stands: the standard alphabet,
// padded, canonical, without white space, escapes or fragment. Nothing where it has to be decoded first.
// Decodes nothing and copies nothing: the view is into url.
std::optional<std::string_view> clean_base64_payload(std::string_view url);

}  // namespace pixmilter::source
