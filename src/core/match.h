// Matching: whether the conditions of a rule hold for a message and a recipient, or for an image.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/rule.h"
#include "core/finding.h"
#include "core/trace.h"
#include "mail/envelope.h"
#include "mail/message.h"

namespace pixmilter::core {

// What message conditions look at; each fact is worked out when it is first asked for. One thread at a time.
class MessageFacts {
 public:
  // Borrows both. complete: the message has its body, so that its size is known.
  MessageFacts(const mail::Message& message, const mail::Envelope& envelope, bool complete)
      : message_(message), envelope_(envelope), complete_(complete) {}

  // Whether the condition holds; recipient is the one whose plan is looked for. Nothing: it cannot be told
  // yet, because the body has not been seen.
  std::optional<bool> holds(const config::Condition& condition, const std::string& recipient);

  const mail::Message& message() const { return message_; }
  const mail::Envelope& envelope() const { return envelope_; }

 private:
  const std::vector<std::string>& addresses_of(const char* field,
                                               std::optional<std::vector<std::string>>& cache);
  bool is_list() const;

  const mail::Message& message_;
  const mail::Envelope& envelope_;
  const bool complete_;
  std::optional<std::vector<std::string>> from_, rcpt_;
  std::optional<std::string> subject_;
};

// Handed in on this host, by somebody who has authenticated, or over loopback (DESIGN.md section 5).
bool is_outgoing(const mail::Envelope& envelope);

// What image conditions look at.
struct ImageFacts {
  Source source = Source::data;
  std::string type;  // "image/tiff", by the bytes
  std::optional<std::uint32_t> width, height, frames;
  std::optional<std::uint64_t> bytes;
  std::optional<bool> alpha, gps;
  bool attachment = false;
};
// A fact that is not known makes its condition fail.
bool holds(const config::Condition& condition, const ImageFacts& facts);

// The first image rule whose conditions hold; nullptr: none. An attachment is meant only by a rule that says
// `attachment = true`: a generic attachment is left alone until a rule names it.
// trace: where to note how each rule came out, or nullptr.
const config::ImageRule* first_match(const std::vector<config::ImageRule>& rules, const ImageFacts& facts,
                                     std::vector<ImageRuleTrace>* trace = nullptr);

}  // namespace pixmilter::core
