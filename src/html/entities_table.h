// The named character references of the HTML standard (section 13.5), packed: all names in one string and
// all values (UTF-8) in another, each entry ending where its number says and beginning where the one
// before it ends. Names come without "&", with ";" where they have one, sorted by byte value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pixmilter::html::entities {

inline constexpr std::size_t kCount = 2231;
inline constexpr std::size_t kLongestName = 32;  // CounterClockwiseContourIntegral;
extern const char kNames[];
extern const char kValues[];
extern const std::uint16_t kNameEnds[kCount];
extern const std::uint16_t kValueEnds[kCount];

}  // namespace pixmilter::html::entities
