// The plan and resolve passes: from findings to distinct pictures with their bytes.
#pragma once

#include "config/settings.h"
#include "core/work.h"

namespace pixmilter::core {

// Gives every finding its picture's bytes and what the rules want of it (or a reason to keep it), and one
// Picture to all findings whose source bytes and render settings are the same.
void resolve(Work& work, const config::Settings& settings);

}  // namespace pixmilter::core
