// The envelope that a command was told, as a milter would have had it from the MTA.
#pragma once

#include "base/result.h"
#include "cli/options.h"
#include "mail/envelope.h"

namespace pixmilter::cli {

// Error: a macro that is not NAME=VALUE.
Result<mail::Envelope> envelope_of(const MessageOptions& options);

}  // namespace pixmilter::cli
