#include "core/outcome.h"

#include "base/ascii.h"
#include "mail/edit.h"
#include "mail/part_writer.h"

namespace pixmilter::core {

std::string changed_header(const mail::Message& message, const std::vector<mail::HeaderChange>& changes) {
  mail::EditList edits;
  std::string appended;
  for (const mail::HeaderChange& change : changes) {
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
  const std::string_view header = std::string_view(message.bytes()).substr(0, message.body_begin());
  Result<std::string> changed = edits.apply(header);
  return changed ? std::move(*changed) : std::string(header);  // cannot fail: one change a field
}

std::string_view word(Verdict verdict) {
  switch (verdict) {
    case Verdict::accept:
      return "accepted";
    case Verdict::reject:
      return "rejected";
    case Verdict::tempfail:
      return "deferred";
    case Verdict::quarantine:
      return "quarantined";
  }
  return "?";
}

std::string_view word(const Outcome& outcome) {
  if (outcome.verdict != Verdict::accept) return word(outcome.verdict);
  if (outcome.body) return "rewritten";
  if (outcome.summary.find("internal error") != std::string::npos) return "failed";
  if (outcome.changed()) return "header_added";
  return outcome.audited ? "audited" : "untouched";
}

std::string carried_out(const mail::Message& message, const Outcome& outcome) {
  const std::string_view body = outcome.body ? outcome.body->view() : message.body();
  std::string out = changed_header(message, outcome.header_changes);
  out.reserve(out.size() + body.size());
  out.append(body);
  return out;
}

std::uint64_t carried_out_size(const mail::Message& message, const Outcome& outcome) {
  return changed_header(message, outcome.header_changes).size() +
         (outcome.body ? outcome.body->size() : message.body().size());
}

}  // namespace pixmilter::core
