// Writes the header fields and parts that are new in a message.
//
// What is written is plain ASCII in lines of at most 78 characters; images are base64 in lines of 76.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mail/mime_tree.h"

namespace pixmilter::mail {

// A structured value such as `image/png; name="a.png"`, folded with LF where a line would grow over 78
// characters; name_width is what the field's name and ": " take of the first line. Values that are not
// printable ASCII are written as RFC 2231 has it (UTF-8), long ones in sections.
std::string structured_value(std::string_view first, const Parameters& parameters, std::size_t name_width);

// An image as a part of a multipart.
struct ImagePart {
  std::string_view media_type;  // "image/png"
  std::string name;             // file name, UTF-8
  std::string content_id;       // without angle brackets
};
// Header and blank line; base64 lines follow.
std::string image_part_header(const ImagePart& image, std::string_view eol);

// A boundary from the content, in no line of the message; number tells those of one message apart.
std::string fresh_boundary(const Message& message, std::size_t number,
                           const std::vector<std::string>& content);

// A field with its line end; folds of the value become eol and what follows them.
std::string field(std::string_view name, std::string_view value, std::string_view eol);

}  // namespace pixmilter::mail
