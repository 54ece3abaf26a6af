// A strict reading of one structured header value, to tell whether two mail readers would agree on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pixmilter::mail {

struct RawParameter {
  std::string name;   // lower case, with the RFC 2231 marks: "boundary", "name*0*"
  std::string value;  // unquoted, not decoded
};

struct StrictContentType {
  std::string type;  // "multipart/mixed", lower case
  std::vector<RawParameter> parameters;
  bool commented = false;  // there are comments, which some readers take for a part of the value before them
};

// Reads a Content-Type value by the grammar of RFC 2045 section 5.1 with comments and folds (RFC 5322),
// and with a ";" that nothing follows, which many mailers write. Anything else is an Error.
Result<StrictContentType> read_content_type(std::string_view raw_value);

// The boundary parameter, if any two readers would take the same one: given once, plain, no encoded word,
// 1 to 200 printable ASCII characters, no space at its end.
Result<std::string> strict_boundary(const StrictContentType& content_type);

}  // namespace pixmilter::mail
