// Outcome: what the pipeline decided for one message, in a form that every host can carry out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mail/message.h"

namespace pixmilter::core {

enum class Verdict { accept, reject, tempfail, quarantine };

struct Outcome {
  Verdict verdict = Verdict::accept;
  std::string reply;  // text for reject, tempfail and quarantine

  // The whole change; empty and nullopt: the message goes on as it came.
  std::vector<mail::HeaderChange> header_changes;  // in an order that a milter can carry out one by one
  std::optional<std::string> body;                 // the new body, with the line ends the message came with

  // What the log line says: "rewritten: 2 embedded, 1 converted", "untouched: signed", ...
  std::string summary;
  // One line for each picture that was left as it was, with the reason.
  std::vector<std::string> notes;
  std::uint64_t bytes_before = 0;  // the message, header and body
  std::uint64_t bytes_after = 0;

  bool changed() const { return body.has_value() || !header_changes.empty(); }
};

}  // namespace pixmilter::core
