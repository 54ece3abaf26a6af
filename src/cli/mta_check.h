// check --mta: what in Postfix's configuration would lose or delay mail that passes pixmilter.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace pixmilter::cli {

struct MtaFindings {
  std::vector<std::string> errors;    // mail would be lost, corrupted or delayed
  std::vector<std::string> warnings;  // mail would pass unseen, or something looks wrong
};

// Postfix's configuration as postconf(1) tells it.
struct PostfixConfiguration {
  std::string parameters;  // of `postconf -x NAME...`: "name = value" lines
  std::string services;    // of `postconf -M`
  std::string overrides;   // of `postconf -Px`: "service/type/name = value" lines
};

// Asks postconf. directory: Postfix's configuration directory; empty: its default, or MAIL_CONFIG.
// Error: postconf is not there or does not answer.
Result<MtaFindings> check_mta(const config::Settings& settings, const std::string& directory);

// The judgement alone.
MtaFindings judge_postfix(const config::Settings& settings, const PostfixConfiguration& postfix);

}  // namespace pixmilter::cli
