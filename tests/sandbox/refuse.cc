// A render program that renders nothing, for tests/source: what goes out converted all the same came from a
// cache.
//
// Linked as tests/sandbox/attack.cc is, with render_picture wrapped (ld --wrap); everything else is the
// product's.
#include "image/job.h"

// NOLINTBEGIN: a name that the linker makes.
extern "C++" {
pixmilter::image::ImageResult wrapped_render_picture(const pixmilter::image::ImageJob& job) __asm__(
    "__wrap__ZN9pixmilter6render14render_pictureERKNS_5image8ImageJobE");
}
// NOLINTEND

pixmilter::image::ImageResult wrapped_render_picture(const pixmilter::image::ImageJob& /*job*/) {
  pixmilter::image::ImageResult result;
  result.status = pixmilter::image::Status::refused;
  result.reason = "this program renders nothing";
  return result;
}
