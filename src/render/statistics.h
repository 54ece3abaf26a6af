// What has to be known of all samples before the first one gets its colour.
#pragma once

#include "render/samples.h"

namespace pixmilter::render {

struct Extent {
  double low = 0;
  double high = 0;
  bool found = false;  // there was a finite value at all
};

struct Statistics {
  Extent colour;         // of the finite values in the colour bands of all frames
  Extent alpha;          // likewise of the alpha band
  bool has_nan = false;  // in a colour band
};
Statistics measure(const Samples& samples);

// The values beneath which so many percent of the finite colour samples lie, interpolated between
// neighbours as numpy.percentile does. 0 <= low < high <= 100.
Extent percentiles(const Samples& samples, double low, double high);

}  // namespace pixmilter::render
