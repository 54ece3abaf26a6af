// Values to colours: what matplotlib and Pillow would show of an array.
//
//   uint8, and bool         as they are; black and white
//   8 and 16 bit integers   the whole range of their type
//   one band of float, or of integers wider than 16 bit
//                           least to greatest finite value, in viridis
//   more bands of float     0..1 where all finite values lie in it, else least to greatest
//   more bands of integers wider than 16 bit
//                           0..255 where all values lie in it (matplotlib's rule), else least to greatest
//
// Alpha is never stretched by a range: it has the whole range of its type up to 16 bits, 0..1 in floats and
// 0..255 in wide integers, or the colours' range where it does not fit these.
#pragma once

#include <optional>
#include <string_view>

#include "image/job.h"
#include "render/vips_image.h"

namespace pixmilter::render {

struct Colouring {
  image::Colormap colormap = image::Colormap::automatic;  // for one band of colour, with or without alpha
  image::Range range;
  std::optional<double>
      white;               // the greatest value of the type, where it is not the type's own (PNM's maxval)
  double unit = 1;         // what a sample of 1 stands for; fixed ranges are in such units
  bool bottom_up = false;  // the first row in memory is the lowest
};

// The picture of the samples: 8 bit, 1 to 4 bands, frames below each other. NaN becomes transparent, what
// is outside the range gets the colour of its end, and a range without width is all low end. Nothing is
// converted before rows are asked for. The layout has been checked against bytes, which outlive the picture.
Attempt<Picture> colour(std::string_view bytes, const image::RawLayout& layout, const Colouring& colouring);

}  // namespace pixmilter::render
