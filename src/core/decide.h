// The decide pass: which rule speaks for each recipient, and what all of them together allow.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "core/match.h"
#include "core/trace.h"

namespace pixmilter::core {

// What one recipient would get alone.
struct RecipientPlan {
  std::string recipient;               // empty: the message as a whole, when no recipient is known
  const config::Rule* rule = nullptr;  // nullptr: no rule, the defaults
  std::string rule_name;               // "defaults" where there is none
  config::MessageAction action = config::MessageAction::rewrite;
  config::Mode mode = config::Mode::enforce;
  std::string why;  // for skip without a rule: "not outgoing"
  std::vector<RuleTrace> trace;
};

// The plan of the message: the strictest of its recipients' plans. Points into the settings.
struct Plan {
  config::MessageAction action = config::MessageAction::rewrite;
  config::Mode mode = config::Mode::enforce;
  config::Policy policy;
  std::string reply;                                          // for reject, tempfail, quarantine
  std::string reason;                                         // for skip: why
  std::vector<const std::vector<config::ImageRule>*> images;  // of each distinct rule that speaks
  std::vector<std::pair<std::string, std::string>> add_headers;
  std::vector<RecipientPlan> recipients;
  std::vector<Forced> forced;
  bool assets_differ = false;  // two recipients' rules name different asset folders: there is none for both
  bool open = false;           // a rule could not be judged without the body: nothing may be concluded
  bool signed_allowed =
      false;            // each recipient's rule says dkim_signed itself: a DKIM signature is no obstacle
  bool traced = false;  // explain asks: each picture keeps how image rules came out
};

// trace: keep every condition's verdict (explain); otherwise only outcomes.
Plan decide(const config::Settings& settings, MessageFacts& facts, bool trace = false);

// Whether any message of this client could be looked at: it is outgoing, or some rule speaks of such a
// client.
bool may_concern(const config::Settings& settings, const mail::Envelope& envelope);

// The rule that speaks for the message: its name, "defaults", or "several" where recipients have different
// ones.
std::string rule_of(const Plan& plan);

// The strictest of two image plans, whichever comes first: the stronger action, the smaller limits.
config::ImagePlan stricter(const config::ImagePlan& a, const config::ImagePlan& b);

}  // namespace pixmilter::core
