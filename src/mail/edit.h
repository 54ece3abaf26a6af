// Edits: what shall be different in a text, as ranges of its bytes and what stands there instead.
//
// The one way in which pixmilter changes anything: enumerate, check, apply to a copy. No text is ever
// rebuilt from a parsed form.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pixmilter::mail {

// bytes [begin, end) of the text become replacement. An insertion has begin == end.
struct Edit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string replacement;
};

// Collects edits in any order. Edits at one place keep the order in which they were added.
class EditList {
 public:
  void replace(std::size_t begin, std::size_t end, std::string replacement) {
    edits_.push_back({begin, end, std::move(replacement)});
  }
  void insert(std::size_t at, std::string text) { replace(at, at, std::move(text)); }
  void remove(std::size_t begin, std::size_t end) { replace(begin, end, {}); }
  bool empty() const { return edits_.empty(); }
  const std::vector<Edit>& edits() const { return edits_; }

  // Sorts, checks that edits neither overlap nor leave the text, and gives the changed copy of
  // text[begin, text.size()). An edit before begin is an error.
  Result<std::string> apply(std::string_view text, std::size_t begin = 0) const;
  // The same behind what out holds already; after an Error out is not to be used.
  Status append_to(std::string& out, std::string_view text, std::size_t begin) const;

 private:
  std::vector<Edit> edits_;
};

}  // namespace pixmilter::mail
