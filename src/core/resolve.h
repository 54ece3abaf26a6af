// The plan and resolve passes: from findings to distinct pictures with their bytes.
#pragma once

#include "base/deadline.h"
#include "config/settings.h"
#include "core/services.h"
#include "core/work.h"

namespace pixmilter::core {

// Gives every finding its picture's bytes and what the rules want of it (or a reason to keep it), and one
// Picture to all findings whose source bytes and render settings are the same. Sources that take time are
// waited for until the deadline at most.
void resolve(Work& work, const config::Settings& settings, const Services& services, Deadline deadline);

}  // namespace pixmilter::core
