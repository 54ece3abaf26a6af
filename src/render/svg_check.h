// Judges an SVG before librsvg sees it: few bytes can ask for hours of drawing.
//
// This follows tags, ids and references and nothing else. What it overestimates stays far below the bounds
// in drawings that people send; what it underestimates ends at the worker's time limit.
#pragma once

#include <cstdint>
#include <string_view>

#include "render/attempt.h"

namespace pixmilter::render {

constexpr std::size_t kMaxSvgBytes = 16 << 20;
constexpr std::uint32_t kMaxSvgNesting = 256;  // elements within elements; libxml2's own bound
constexpr std::uint64_t kMaxSvgElements =
    100'000;  // drawn, with all that use, patterns, masks and markers repeat
constexpr std::uint64_t kMaxSvgFilterPixels = 500'000'000;  // filter steps, each taken for the whole canvas

struct SvgCost {
  std::uint64_t filter_steps = 0;  // for each canvas pixel, at worst
};

// Refuses nested entities; Status::limit where a bound above is passed.
Attempt<SvgCost> check_svg(std::string_view bytes);

}  // namespace pixmilter::render
