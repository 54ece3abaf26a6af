// The remove pass: what goes with the pictures that rules drop, and what readers are told of placeholders.
#pragma once

#include "core/work.h"

namespace pixmilter::core {

// After resolve(): fills HtmlText::edits from the findings whose decision is drop or placeholder. A reference
// to a part that goes goes too; one to a part that a placeholder stands for says so in its alt; a finding
// whose element goes, goes with it.
void remove(Work& work);

}  // namespace pixmilter::core
