// Outcome: what the pipeline decided for one message, in a form that every host can carry out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/finding.h"
#include "mail/message.h"

namespace pixmilter::core {

enum class Verdict { accept, reject, tempfail, quarantine };

// A new body. It may stand behind other bytes, so that what was verified as a whole is not copied.
class NewBody {
 public:
  NewBody() = default;
  explicit NewBody(std::string bytes, std::size_t begin = 0) : bytes_(std::move(bytes)), begin_(begin) {}
  std::string_view view() const { return std::string_view(bytes_).substr(begin_); }
  std::size_t size() const { return bytes_.size() - begin_; }
  bool operator==(const NewBody& other) const { return view() == other.view(); }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

struct Outcome {
  Verdict verdict = Verdict::accept;
  std::string reply;           // text for reject, tempfail and quarantine
  std::string rule;            // whose rule it was: see rule_of() in decide.h
  std::vector<Forced> forced;  // where plans of recipients differ: who forced what on the others

  // The whole change; empty and nullopt: the message goes on as it came.
  std::vector<mail::HeaderChange> header_changes;  // in an order that a milter can carry out one by one
  std::optional<NewBody> body;                     // the new body, with the line ends the message came with

  // What the log line says: "rewritten: 2 embedded, 1 converted", "untouched: signed",
  // "header added: signed", ...
  std::string summary;
  bool audited = false;  // audit mode: it would have gone out rewritten
  // One line for each picture that was left as it was, with the reason.
  std::vector<std::string> notes;
  // Every reference and part that was looked at, in the order of the message.
  std::vector<Finding> findings;
  std::uint64_t bytes_before = 0;  // the message, header and body
  std::uint64_t bytes_after = 0;

  bool changed() const { return body.has_value() || !header_changes.empty(); }
};

// "accepted", "rejected", "deferred", "quarantined".
std::string_view word(Verdict verdict);

// What became of the message, in one word: "rewritten", "header_added", "untouched", "audited" (would have
// been rewritten), "failed" (untouched because of an error of ours), "rejected", "deferred", "quarantined".
std::string_view word(const Outcome& outcome);

// The header with changes carried out on the message's own, with the blank line where there is one.
std::string changed_header(const mail::Message& message, const std::vector<mail::HeaderChange>& changes);
// The whole message as it leaves: the outcome carried out on the original bytes. Files and tests use this;
// a milter hands header_changes and body to the MTA instead, which comes to the same bytes.
std::string carried_out(const mail::Message& message, const Outcome& outcome);
// Its size, without making it.
std::uint64_t carried_out_size(const mail::Message& message, const Outcome& outcome);

}  // namespace pixmilter::core
