// A look at a message's bytes before it is parsed: most mail holds nothing that could concern us.
#pragma once

#include "core/decide.h"
#include "mail/message.h"

namespace pixmilter::core {

// False: no part of the message, however it is read, is a picture or stands for one, nor HTML that names one,
// and the message stays as it is. True says nothing. links: http: and https: URLs may be fetched.
bool may_hold_pictures(const mail::Message& message, const Plan& plan, bool links);

}  // namespace pixmilter::core
