// The parameters of image/x-raw-pixels and application/x-npy: what a sender says about pixels beside them.
//
// DESIGN.md section 3 lists them. Names and words are case-insensitive; whoever parsed the header has
// already removed quotes, folds and RFC 2231 encoding.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "image/job.h"

namespace pixmilter::image {

// Name and value of each parameter, in any order. Those that are not about pixels (name, charset, ...) are
// passed over; one of ours that comes twice is an error.
using Parameters = std::vector<std::pair<std::string, std::string>>;

// image/x-raw-pixels: width, height, bands (1), format (uchar), endian (little), layout (interleaved),
// frames (1). The byte count has been checked (see layout.h).
Result<RawLayout> read_raw_layout(const Parameters& parameters, std::string_view bytes);

// Both raw forms: colormap, range (auto, full, "lo,hi", "pLO,pHI" with percentiles from 0 to 100) and fps
// go into settings; what is not given stays as it is there.
pixmilter::Status read_raw_settings(const Parameters& parameters, RenderSettings& settings);

}  // namespace pixmilter::image
