#include "render/samples.h"

namespace pixmilter::render {

Samples samples_of(std::string_view bytes, const image::RawLayout& layout, bool bottom_up) {
  Samples s;
  s.layout = layout;
  const auto size = static_cast<std::ptrdiff_t>(image::sample_bytes(layout.format));
  const auto width = static_cast<std::ptrdiff_t>(layout.width);
  const auto height = static_cast<std::ptrdiff_t>(layout.height);
  const auto bands = static_cast<std::ptrdiff_t>(layout.bands);
  const auto frames = static_cast<std::ptrdiff_t>(layout.frames);
  if (layout.fortran_order) {
    // The first index of (frame, row, column, band) varies fastest.
    s.frame_step = size;
    s.row_step = frames * size;
    s.column_step = height * s.row_step;
    s.band_step = width * s.column_step;
  } else if (layout.planar) {
    s.column_step = size;
    s.row_step = width * size;
    s.band_step = height * s.row_step;
    s.frame_step = bands * s.band_step;
  } else {
    s.band_step = size;
    s.column_step = bands * size;
    s.row_step = width * s.column_step;
    s.frame_step = height * s.row_step;
  }
  s.first = reinterpret_cast<const std::uint8_t*>(bytes.data()) + layout.offset;
  if (bottom_up) {
    s.first += (height - 1) * s.row_step;
    s.row_step = -s.row_step;
  }
  return s;
}

}  // namespace pixmilter::render
