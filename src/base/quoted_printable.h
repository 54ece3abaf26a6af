// Quoted-printable (RFC 2045 section 6.7).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::quoted_printable {

inline constexpr std::size_t kLineLimit = 76;  // characters, the "=" of a soft line break included

// As a mail reader decodes a part: soft line breaks vanish, white space before a line end is transport
// padding and vanishes, a malformed escape stays as it is written. Line ends come out as they went in.
std::string decode(std::string_view text);

// The same for a look at a text that is not kept: in less time, to memory that is not filled before.
class Glance {
 public:
  explicit Glance(std::string_view text);
  std::string_view decoded() const { return decoded_; }

 private:
  std::unique_ptr<char[]> room_;
  std::string slow_;  // where room_ would not do
  std::string_view decoded_;
};

// Decoded text together with where each decoded byte came from, so that an edit of the decoded text can
// be made in the encoded one and leave every other line as it was.
class Mapped {
 public:
  // Borrows text.
  explicit Mapped(std::string_view text);
  const std::string& decoded() const { return decoded_; }
  // The offset in the encoded text at which the decoded byte begins; decoded().size() maps to the end.
  std::size_t encoded_offset(std::size_t decoded_offset) const;
  // The offset in the encoded text after the last byte before decoded_offset: a soft line break that follows
  // it stays outside.
  std::size_t encoded_end(std::size_t decoded_offset) const;

 private:
  // Decoded and encoded offsets run in step from each of these points up to the next.
  struct Step {
    std::size_t decoded;
    std::size_t encoded;
  };
  std::string decoded_;
  std::vector<Step> steps_;
  std::string_view encoded_;
};

// Appends bytes as they stand in a line that already holds column characters; returns the column after.
// Soft line breaks keep lines within 76 characters; "=" and everything but printable ASCII, space and tab
// is escaped, line ends too (the bytes are one run of text without hard line breaks).
std::size_t encode_run(std::string_view bytes, std::string_view eol, std::size_t column, std::string& out);

// Appends text as a whole part: its line ends (LF or CRLF) become eol, no line grows over 76 characters.
void encode_text(std::string_view text, std::string_view eol, std::string& out);

}  // namespace pixmilter::quoted_printable
