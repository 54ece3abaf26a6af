#include "html/srcset.h"

#include "base/ascii.h"

namespace pixmilter::html {

bool SrcsetReader::next(Range& url) {
  while (at_ < value_.size() && (ascii::is_space(value_[at_]) || value_[at_] == ',')) ++at_;
  if (at_ == value_.size()) return false;
  url.begin = at_;
  while (at_ < value_.size() && !ascii::is_space(value_[at_])) ++at_;
  url.end = at_;
  if (value_[url.end - 1] != ',') {
    skip_descriptors();
  } else {
    while (url.end > url.begin && value_[url.end - 1] == ',') --url.end;
  }
  return true;
}

// Up to and including the comma outside parentheses that ends the candidate.
void SrcsetReader::skip_descriptors() {
  bool in_parentheses = false;
  for (; at_ < value_.size(); ++at_) {
    const char c = value_[at_];
    if (c == '(') in_parentheses = true;
    if (c == ')') in_parentheses = false;
    if (c == ',' && !in_parentheses) {
      ++at_;
      return;
    }
  }
}

}  // namespace pixmilter::html
