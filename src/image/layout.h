// What npy headers and raw parameters have in common: a geometry that somebody claims, judged against the
// bytes that are there.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "image/job.h"

namespace pixmilter::image {

// Whether the layout has pixels at all, 1 to 4 bands, and exactly the samples that its geometry calls for
// between its offset and the end of bytes. One line end after the last sample is passed over: MIME adds one
// where a part is sent 8bit or quoted-printable. More is an error, because what follows might be a second
// picture, and it would be lost without a word.
pixmilter::Status check_layout(const RawLayout& layout, std::string_view bytes);

}  // namespace pixmilter::image
