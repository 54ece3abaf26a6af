// What explain prints: one message's way through the pipeline, for people or for programs.
#pragma once

#include <string>

#include "core/outcome.h"
#include "core/report.h"
#include "mail/envelope.h"
#include "mail/message.h"

namespace pixmilter::cli {

struct Explanation {
  const mail::Message& message;
  const mail::Envelope& envelope;
  const core::Outcome& outcome;
  const core::Report& report;
};

// Aligned text; coloured with ANSI escapes where asked. What comes from the message is made harmless: control
// characters never reach a terminal.
std::string explained_as_text(const Explanation& explanation, bool coloured);

// One JSON object; pixmilter-explain(5) documents its members.
std::string explained_as_json(const Explanation& explanation);

}  // namespace pixmilter::cli
