// Fields about the content of a part, as the steps of the assemble pass find, write and take them away.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/work.h"
#include "mail/mime_tree.h"

namespace pixmilter::core {

// Name, and the bytes after the colon.
using ContentField = std::pair<std::string, std::string>;

bool is_content_field(const mail::HeaderField& field);
bool has_field(const mail::Part& part, std::string_view name);
// RFC 1864 and its like: a digest or length of the bytes that were there would be wrong now.
bool tells_of_old_bytes(std::string_view name);

// The value of the picture's Content-Type, under this name; without the space before it.
std::string type_value(const Picture& picture, const std::string& name);
// A Content-Disposition with what was said before but for the file name, and without the size of the old
// bytes.
std::string disposition_value(std::string_view disposition, const mail::Parameters& said,
                              const std::string& name);

// The picture as the body of this part: base64 lines, the last one ended as the old body's last one was,
// whose line end belongs to the boundary where the part stands in a multipart.
std::string body_with(const Picture& picture, const mail::Message& message, const mail::Part& part);

// The message's own fields, changed one by one.
class MessageFields {
 public:
  // Changes are added to changes. Both outlive it.
  MessageFields(const mail::Message& message, std::vector<mail::HeaderChange>& changes)
      : message_(message), changes_(changes) {}

  // value: as in HeaderChange. The first field of the name changes.
  void replace(std::string_view name, std::string value);
  void append(std::string_view name, std::string value);
  void remove(const mail::HeaderField& field);
  // To be called last. Fields go from the last to the first, so that an index never moves under the next
  // removal; a message without MIME-Version gets one.
  void finish();

 private:
  // Which of the fields of its name this is, from 1.
  int occurrence(const mail::HeaderField& wanted) const;

  const mail::Message& message_;
  std::vector<mail::HeaderChange>& changes_;
  std::vector<mail::HeaderChange> removals_;
};

}  // namespace pixmilter::core
