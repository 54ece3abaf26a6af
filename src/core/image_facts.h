// What conditions of image rules are held against.
#pragma once

#include "core/match.h"
#include "core/work.h"

namespace pixmilter::core {

// What is known of a picture before anything is done to it. picture: as it was acquired; one that could not
// be leaves unknown what only its bytes tell. location_matters: whether to look for a place that it says it
// was taken at, which is a walk through its metadata.
ImageFacts image_facts(const Work& work, const Finding& finding, const Picture& picture,
                       bool location_matters);

}  // namespace pixmilter::core
