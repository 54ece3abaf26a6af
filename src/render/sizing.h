// How large a picture becomes, and making it so.
#pragma once

#include <cstdint>

#include "image/job.h"
#include "render/vips_image.h"

namespace pixmilter::render {

// The picture is scaled to scaled_*, then its middle is cut out at width x height (the same but for fill).
struct Geometry {
  std::uint32_t scaled_width = 0;
  std::uint32_t scaled_height = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  friend bool operator==(const Geometry&, const Geometry&) = default;
};

// fit: as large as goes into the box of settings.width x settings.height, in proportion; 0 is no bound.
// fill: covers the box in proportion, what sticks out is cut off; a box with one side is treated as by fit.
// force: exactly the box; a side that is not given follows in proportion.
// Without settings.enlarge no side grows. A side never vanishes: 1 pixel at the least.
Geometry geometry_for(std::uint32_t width, std::uint32_t height, const image::RenderSettings& settings);

// Scales with a Lanczos kernel, colours weighted by their alpha, each frame for itself. picture is 8 bit and
// upright. Pictures that have the size already pass through.
Attempt<Picture> resize(Picture picture, const Geometry& geometry);

}  // namespace pixmilter::render
