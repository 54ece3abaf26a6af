// Message: one mail as it came, in one buffer, with its top-level header fields found.
//
// Nothing here interprets MIME. The bytes are never changed in place: what shall be different is said as
// edits (edit.h) and header changes, and applied to a copy.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::mail {

// A top-level header field; offsets into Message::bytes().
struct HeaderField {
  std::size_t begin = 0;       // of the name
  std::size_t colon = 0;       // of the ":"
  std::size_t end = 0;         // after the field's last line end
  std::string_view name;       // white space before the colon removed
  std::string_view raw_value;  // after the colon, folds included, without the last line end
};

// Immutable once built; movable, so that views into it are taken from its final place only.
class Message {
 public:
  // Takes a whole message as a file holds it or a MessageBuilder made it. A leading mbox "From " line
  // stays before header_begin(). Anything at all is taken; what is wrong with it is found by looking.
  explicit Message(std::string bytes);

  const std::string& bytes() const { return bytes_; }
  // Gives the bytes away; all else that was said of them is no longer true.
  std::string take() && { return std::move(bytes_); }
  // The first byte of the first header field.
  std::size_t header_begin() const { return header_begin_; }
  // The header fields end here; the blank line, where there is one, lies between this and body_begin().
  std::size_t header_end() const { return header_end_; }
  // After the blank line; bytes().size() when there is none.
  std::size_t body_begin() const { return body_begin_; }
  std::string_view body() const { return std::string_view(bytes_).substr(body_begin_); }
  bool has_blank_line() const { return has_blank_line_; }
  // The header ends at a line that is no header field, continuation or blank line.
  bool malformed_header() const { return malformed_header_; }
  const std::vector<HeaderField>& fields() const { return fields_; }
  // "\r\n" or "\n": what the first line ends with.
  std::string_view eol() const { return crlf_ ? "\r\n" : "\n"; }

  // The number of fields of this name (case-insensitive), and the first of them or nullptr.
  std::size_t count(std::string_view name) const;
  const HeaderField* find(std::string_view name) const;

  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

 private:
  std::string bytes_;
  std::size_t header_begin_ = 0;
  std::size_t header_end_ = 0;
  std::size_t body_begin_ = 0;
  bool has_blank_line_ = false;
  bool malformed_header_ = false;
  bool crlf_ = true;
  std::vector<HeaderField> fields_;
};

// Collects what the milter callbacks hand over, into the one buffer that becomes the message.
class MessageBuilder {
 public:
  // value: the bytes after the colon, leading white space included, folded with LF or CRLF.
  void add_header(std::string_view name, std::string_view value);
  // Once, after the headers. Then only body chunks.
  void end_headers();
  void add_body(std::string_view chunk);
  void reserve(std::size_t bytes);
  std::size_t size() const { return bytes_.size(); }
  // Goes on in this buffer, with what is in the builder; what the buffer held is lost.
  void use(std::string buffer);
  // Gives the buffer away; the builder is empty afterwards.
  std::string take();

 private:
  std::string bytes_;
};

// The fields between begin and the first blank line (or end, or a line that is no field).
struct HeaderBlock {
  std::vector<HeaderField> fields;
  std::size_t end = 0;         // after the last field
  std::size_t body_begin = 0;  // after the blank line; equal to end where there is none
  bool has_blank_line = false;
  bool malformed =
      false;  // ended by a line that is no field, or a line of white space alone stands in a field
};
HeaderBlock read_header(std::string_view bytes, std::size_t begin, std::size_t end);

// A change to a top-level header field, as a milter speaks of it.
struct HeaderChange {
  enum class Kind { replace, remove, append };
  Kind kind;
  std::string name;
  // replace, remove: which of the fields of that name, from 1, counted in the original message.
  int index = 0;
  // replace, append: the bytes after the colon, leading space included, folded with LF.
  std::string value;
};

}  // namespace pixmilter::mail
