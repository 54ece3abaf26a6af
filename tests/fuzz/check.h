// What fuzz targets share: an assertion that stops the fuzzer and says where, and edits as the pipeline makes
// them.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "html/reference.h"

#define FUZZ_CHECK(condition)                                                             \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

namespace pixmilter::fuzz {

inline constexpr std::string_view kUrl = "cid:a@b";

// The text with every reference but inline pictures replaced by kUrl.
inline std::string replaced(std::string_view html, const html::Scan& found) {
  std::string out;
  std::size_t at = 0;
  for (const html::Reference& reference : found.references) {
    if (reference.place == html::Place::inline_svg) continue;
    out += html.substr(at, reference.range.begin - at);
    out += html::replacement(reference, kUrl);
    at = reference.range.end;
  }
  return out += html.substr(at);
}

}  // namespace pixmilter::fuzz
