// Traces: how rules and their conditions came out, for explain. Kept only when somebody asks.
#pragma once

#include <string>
#include <vector>

#include "config/rule.h"

namespace pixmilter::core {

// How one condition of one rule came out.
struct ConditionTrace {
  std::string text;  // "from = [...]", "unless size = ..."
  bool holds = false;
  bool told = true;  // false: could not be told before the body
};

// How one rule came out for one recipient.
struct RuleTrace {
  const config::Rule* rule = nullptr;
  bool matched = false;
  bool open = false;  // depends on what is not known yet
  std::string note;   // "not outgoing": why it was not even looked at
  std::vector<ConditionTrace> conditions;
};

// What was made stricter for all by one recipient's plan.
struct Forced {
  std::string what;  // "action = skip", "strip_metadata = all", "width = 50"
  std::string recipient;
  std::string rule_name;
  bool operator==(const Forced&) const = default;
};

// How one image rule came out for one picture.
struct ImageRuleTrace {
  const config::ImageRule* rule = nullptr;
  bool matched = false;
  std::string note;  // why it was not even looked at
  std::vector<ConditionTrace> conditions;
};

}  // namespace pixmilter::core
