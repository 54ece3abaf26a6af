// SrcsetReader: splits a srcset attribute into its candidates (HTML standard, section 4.8.4.3.10).
//
// A URL may hold commas, as every base64 data: URI does; only a comma after white space, or at the end of
// the URL, separates.
#pragma once

#include <cstddef>
#include <string_view>

#include "html/reference.h"

namespace pixmilter::html {

// The value with character references resolved. Time linear in it over all calls of next().
class SrcsetReader {
 public:
  explicit SrcsetReader(std::string_view value) : value_(value) {}
  // The next candidate's URL as a range of the value; false at the end. Descriptors are passed over,
  // whether they are valid or not.
  bool next(Range& url);

 private:
  void skip_descriptors();
  std::string_view value_;
  std::size_t at_ = 0;
};

}  // namespace pixmilter::html
