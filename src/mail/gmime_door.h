// The door to GMime: what it makes of a message, as plain values.
//
// The only header of this folder that a GMime type stands behind; no other file names one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/mime_tree.h"

namespace pixmilter::mail {

// One node of GMime's tree.
struct GMimeNode {
  std::string type;  // lower case
  Parameters parameters;
  std::string disposition;
  Parameters disposition_parameters;
  std::string filename;
  std::string content_id;
  std::string description;
  std::string boundary;
  bool is_multipart = false;
  // Where GMime found the content, counted from the first byte it was given; content_begin -1: not told
  // (multiparts and messages).
  std::int64_t content_begin = -1;
  std::int64_t content_end = -1;
  std::vector<GMimeNode> children;  // of a multipart; an embedded message is a leaf here
};

// Parses bytes (from the first header field on). Errors: GMime finds no message.
Result<GMimeNode> parse_with_gmime(std::string_view bytes);

}  // namespace pixmilter::mail
