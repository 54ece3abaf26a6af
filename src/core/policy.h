// Policy: whose mail is looked at, and what in it is never touched.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/decide.h"
#include "core/work.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "mail/mime_tree.h"

namespace pixmilter::core {

// Why a message is never touched, as far as envelope and header tell, whatever the rules say; empty: it may
// be. Only a rule that names signatures itself (Plan::signed_allowed) goes past a signature.
std::string untouched_reason(const mail::Message& headers, const mail::Envelope& envelope, const Plan& plan);

// Whether a signature of the message covers the fields of this name, those that are not there included (RFC
// 6376 section 5.4.2): one that is added would break it.
bool signature_covers(const mail::Message& headers, std::string_view name);

// For each part why it must keep its bytes, empty where it need not: what is at or beneath a signature,
// an encryption, a report or an embedded message. A part above a protected one may grow, its protected
// child never changes.
std::vector<std::string> protected_parts(const mail::MimeTree& tree);

// An inline PGP block in a text part: then the whole message stays as it is.
bool has_inline_pgp(const Work& work);

}  // namespace pixmilter::core
