#include "core/outcome.h"

#include "base/ascii.h"
#include "mail/edit.h"
#include "mail/part_writer.h"

namespace pixmilter::core {

std::string carried_out(const mail::Message& message, const Outcome& outcome) {
  mail::EditList edits;
  std::string appended;
  for (const mail::HeaderChange& change : outcome.header_changes) {
    if (change.kind == mail::HeaderChange::Kind::append) {
      appended += mail::field(change.name, change.value, message.eol());
      continue;
    }
    int index = 0;
    for (const mail::HeaderField& field : message.fields()) {
      if (!ascii::iequals(field.name, change.name) || ++index != change.index) continue;
      edits.replace(field.begin, field.end,
                    change.kind == mail::HeaderChange::Kind::remove
                        ? std::string()
                        : mail::field(field.name, change.value, message.eol()));
      break;
    }
  }
  if (!appended.empty()) edits.insert(message.header_end(), std::move(appended));
  const std::string_view bytes = message.bytes();
  Result<std::string> head = edits.apply(bytes.substr(0, message.body_begin()));
  if (!head) return message.bytes();  // cannot be: one change a field
  return std::move(*head).append(outcome.body ? *outcome.body : std::string(message.body()));
}

}  // namespace pixmilter::core
