// Edits: what is checked and put in order before the first of them goes to the MTA.
//
// Once the new body has begun to flow nothing may fail on our side, so everything that the protocol could
// refuse is found here.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "mail/message.h"

namespace pixmilter::milter {

// Bytes that one command may carry, either way (smfi_setmaxdatasize). libmilter's default of 64 KiB ends
// the session at a longer header field, such as 2,000 recipients in To:, and with it the message; Postfix
// sends fields of up to header_size_limit.
inline constexpr std::size_t kMaxFrameBytes = 4u << 20;

// Longer messages pass as they are, and their bytes are not kept.
inline constexpr std::size_t kMaxMessageBytes = std::size_t{512} << 20;

// The changes in an order that means the same to every MTA: replacements while all indexes are the
// original ones; then removals, of fields of one name from the last to the first (Postfix counts the fields
// that are left, Sendmail all that there were); then the additions. Values are as the MTA takes them: folded
// with LF, and without their first space where it adds one itself (leading_space false).
// An error where a change cannot be said in the protocol: an unusable name, NUL, a fold that is none, more
// than kMaxFrameBytes, a replacement by nothing (which would remove).
Result<std::vector<mail::HeaderChange>> for_mta(const std::vector<mail::HeaderChange>& changes,
                                                bool leading_space);

// One line of printable ASCII for an SMTP reply, at most 512 bytes, with every % doubled (Sendmail takes
// it for a format, smfi_setreply); fallback where nothing is left.
std::string reply_text(const std::string& text, const std::string& fallback);

}  // namespace pixmilter::milter
