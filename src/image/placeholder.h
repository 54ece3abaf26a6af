// The neutral picture that stands where a rule leaves one out (image action placeholder).
#pragma once

#include <cstdint>
#include <string_view>

namespace pixmilter::image {

inline constexpr std::uint32_t kPlaceholderWidth = 64;
inline constexpr std::uint32_t kPlaceholderHeight = 48;

// A PNG of one light gray, always the same bytes: by them it is known again in a second pass.
std::string_view placeholder();

}  // namespace pixmilter::image
