// The render pass: every picture that needs a worker gets its result, from the cache where it was made
// before.
#pragma once

#include "base/deadline.h"
#include "config/settings.h"
#include "core/services.h"
#include "core/work.h"

namespace pixmilter::core {

// Pictures that have a result, or failed, are passed over. What is not ready by the deadline is a timeout.
void render(Work& work, const Services& services, const config::Settings& settings, Deadline deadline);

}  // namespace pixmilter::core
