// Policy: whose mail is looked at, and what in it is never touched.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mail/mime_tree.h"

namespace pixmilter::core {

// Why a message is not looked at, as far as envelope and header tell; empty: it is.
std::string untouched_reason(const config::Settings& settings, const mail::Message& headers,
                             const mail::Envelope& envelope);

// For each part why it must keep its bytes, empty where it need not: what is at or beneath a signature,
// an encryption, a report or an embedded message. A part above a protected one may grow, its protected
// child never changes.
std::vector<std::string> protected_parts(const mail::MimeTree& tree);

// An inline PGP block in a text part: then the whole message stays as it is.
bool has_inline_pgp(const mail::Message& message, const mail::MimeTree& tree);

}  // namespace pixmilter::core
