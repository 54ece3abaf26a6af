// The verify pass: the new message, parsed again, held against the old one.
//
// Independent of how assemble works: it takes bytes and what was meant, and finds out for itself whether the
// bytes say that and nothing else.
#pragma once

#include "base/result.h"
#include "core/assemble.h"
#include "core/work.h"

namespace pixmilter::core {

// Done when, in the changed message: the parts are those of the old one plus the new ones; every part that
// was not concerned has its header and body byte for byte; every header field that was not concerned is there
// in its place; each edited HTML decodes to the text meant; each new or replaced part decodes to its picture;
// each cid: that was written names exactly one part. Anything else is an Error that says what is off.
Status verify(const Work& work, const Assembly& assembly, const mail::Message& changed);

}  // namespace pixmilter::core
