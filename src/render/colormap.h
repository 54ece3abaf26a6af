// The named colour maps: 256 colours from the low end of a range to its high end.
#pragma once

#include <array>
#include <cstdint>

#include "image/job.h"

namespace pixmilter::render {

using ColormapTable = std::array<std::uint32_t, 256>;  // 0xRRGGBB

extern const ColormapTable kViridis, kMagma, kInferno, kPlasma, kCividis, kTurbo;

// Of a map other than automatic and gray (which needs none: entry i is i, i, i).
inline const ColormapTable& colormap_table(image::Colormap map) {
  switch (map) {
    case image::Colormap::magma:
      return kMagma;
    case image::Colormap::inferno:
      return kInferno;
    case image::Colormap::plasma:
      return kPlasma;
    case image::Colormap::cividis:
      return kCividis;
    case image::Colormap::turbo:
      return kTurbo;
    default:
      return kViridis;
  }
}

}  // namespace pixmilter::render
