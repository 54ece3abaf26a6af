// Hints: what an administrator wants to know beside a reason, for explain and preview.
#pragma once

#include <string_view>

namespace pixmilter::cli {

// What a reason for leaving a whole message alone means, and what would change it; empty: it says all.
std::string_view hint(std::string_view reason);

// Where pictures are looked for, for a message in which none were found.
inline constexpr std::string_view kWhereWeLook =
    "looked for: img, srcset, input, background, CSS url(), VML and inline svg in the HTML text; parts that "
    "are "
    "images or arrays. Not: links, data-src, scripts, iframes, comments, attached HTML";

}  // namespace pixmilter::cli
