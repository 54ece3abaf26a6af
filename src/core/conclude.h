// The end of the render pass: what each picture's result means for what was found.
#pragma once

#include "core/work.h"

namespace pixmilter::core {

// Each finding learns from its picture what is done to it: embedded, converted, or left with the reason. Of a
// part with several pages all become pictures, or none does. New parts get their names. May be called again
// after pictures were rendered anew.
void conclude(Work& work);

}  // namespace pixmilter::core
