// The budget of a message: max_message_bytes, met by making its pictures smaller, the largest first.
#pragma once

#include <cstdint>
#include <string>

#include "core/work.h"

namespace pixmilter::core {

// Whether the message is too large as it came. One that has been through here was dealt with then: it is not
// made smaller again for the fields that servers add on the way.
bool over_budget(const mail::Message& message, const Plan& plan);

// Asks for smaller pictures so that the message loses excess bytes: all that are larger than some size get
// that size as their limit, so that small ones stay as they are. They need a worker afterwards.
// False: even pictures of nothing would not do.
bool shrink_pictures(Work& work, std::uint64_t excess);

}  // namespace pixmilter::core
