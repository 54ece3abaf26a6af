// The budget of a message: max_message_bytes, met by making its pictures smaller, the largest first.
#pragma once

#include <cstdint>

#include "core/work.h"

namespace pixmilter::core {

// Asks for smaller pictures so that the message loses excess bytes: all that are larger than some size get
// that size as their limit, so that small ones stay as they are. They need a worker afterwards.
// False: even pictures of nothing would not do.
bool shrink_pictures(Work& work, std::uint64_t excess);

}  // namespace pixmilter::core
