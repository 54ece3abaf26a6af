// MimeTree: the parts of a message with the byte offsets of all that bounds them.
//
// GMime says what the parts are; where they lie in the message is derived here from the bytes and held
// against GMime's offsets. Any difference, and anything that two mail readers could take in two ways, makes
// the message ambiguous: it is then not touched at all. Nothing is ever written from the tree: it only
// tells where edits may go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "mail/message.h"

namespace pixmilter::mail {

enum class Encoding : std::uint8_t { seven_bit, eight_bit, binary, quoted_printable, base64, unknown };

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

using Parameters = std::vector<std::pair<std::string, std::string>>;  // names in lower case, values decoded

struct Part {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::size_t parent = kNone;  // index in the tree
  std::vector<std::size_t> children;
  std::size_t depth = 0;

  // Offsets into Message::bytes().
  std::vector<HeaderField> fields;
  Span header;  // the fields, without the blank line
  Span body;    // for a child of a multipart without the line end that belongs to the next boundary line
  // For a multipart: its boundary lines with their line ends; the last one is the closing one.
  std::vector<Span> delimiters;

  // From the header, through GMime: RFC 2231 and RFC 2047 decoded.
  std::string type = "text/plain";  // lower case
  bool has_type = false;            // there is a Content-Type field
  Parameters parameters;            // of Content-Type, the boundary's too
  Encoding encoding = Encoding::seven_bit;
  std::string disposition;  // lower case; empty: none given
  Parameters disposition_parameters;
  std::string filename;    // the disposition's, else Content-Type's name; empty: none
  std::string content_id;  // without angle brackets
  std::string description;
  std::string boundary;

  bool is_multipart() const { return type.starts_with("multipart/"); }
  // Shown as a file rather than as part of the text: an attachment disposition (RFC 2183: any unknown one is
  // that too), or none at all but a name.
  bool is_attachment() const;
  const std::string* parameter(std::string_view name) const;
};

class MimeTree {
 public:
  // Bounds on what is followed; beyond them a message is left alone.
  static constexpr std::size_t kMaxParts = 10'000;
  static constexpr std::size_t kMaxDepth = 60;

  // GMime is not asked about a message of one text in plain form.
  // An Error says why the message is ambiguous or beyond the bounds: "ambiguous: ...".
  // The tree borrows nothing but views in HeaderField: the message outlives it.
  static Result<MimeTree> parse(const Message& message);
  // The same tree from the bytes alone, at a fraction of the time, for a message whose fields about the
  // content are all in plain form; what its parts say is then known as read_plain_fields() says. An Error
  // means only that parse() is to be asked. It finds no fault in what only a second parser would read in
  // another way: it is for messages that were made by editing one that parse() has read.
  static Result<MimeTree> parse_plain(const Message& message);

  const std::vector<Part>& parts() const { return parts_; }  // in the order of the message; [0] is the root
  const Part& operator[](std::size_t index) const { return parts_[index]; }
  std::size_t size() const { return parts_.size(); }
  // "1.2.3" as IMAP numbers parts; "" for the root.
  std::string number(std::size_t index) const;
  // RFC 2387: the part that the start= of a multipart/related names, else its first.
  std::size_t related_root(std::size_t related) const;

 private:
  friend class TreeBuilder;
  std::vector<Part> parts_;
};

// Content-IDs compare without their angle brackets.
std::string_view bare_content_id(std::string_view id);

// The part's content without its transfer encoding.
std::string decoded_body(const Message& message, const Part& part);

// Once in a process, before the first tree, from one thread.
void initialise_mime();

}  // namespace pixmilter::mail
