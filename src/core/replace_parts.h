// The half of the assemble pass that deals with parts which are pictures: they are replaced where they stand,
// become several pages, or go.
#pragma once

#include "core/assemble.h"
#include "core/work.h"

namespace pixmilter::core {

// Carries out what the findings say of parts; findings in HTML are left alone.
void replace_parts(const Work& work, Assembly& out);

}  // namespace pixmilter::core
