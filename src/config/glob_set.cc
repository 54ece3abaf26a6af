#include "config/glob_set.h"

#include <algorithm>

#include "config/pattern.h"

namespace pixmilter::config {

void GlobSet::insert(std::string_view glob) {
  ++size_;
  const std::size_t first = glob.find_first_of("*?");
  if (first == std::string_view::npos) {
    literals_.emplace(glob);
    return;
  }
  const std::size_t last = glob.find_last_of("*?");
  const std::string_view head = glob.substr(0, first), tail = glob.substr(last + 1);
  if (head.empty() && tail.empty()) {
    others_.emplace_back(glob);
    return;
  }
  const std::string_view literal = tail.empty() ? head : tail;
  Shelves& shelves = tail.empty() ? heads_ : tails_;
  Shelf& shelf = shelves.by_literal[std::string(literal)];
  shelves.lengths.insert(literal.size());
  if (glob.size() == literal.size() + 1 && glob[first] == '*')
    shelf.alone = true;
  else
    shelf.globs.emplace_back(glob);
}

bool GlobSet::matches(const Shelves& shelves, bool at_end, std::string_view text) {
  for (const std::size_t length : shelves.lengths) {
    if (length > text.size()) return false;
    const auto shelf = shelves.by_literal.find(text.substr(at_end ? text.size() - length : 0, length));
    if (shelf == shelves.by_literal.end()) continue;
    const std::vector<std::string>& globs = shelf->second.globs;
    if (shelf->second.alone || std::any_of(globs.begin(), globs.end(),
                                           [&](const std::string& glob) { return glob_matches(glob, text); }))
      return true;
  }
  return false;
}

bool GlobSet::matches(std::string_view text) const {
  return literals_.contains(text) || matches(tails_, true, text) || matches(heads_, false, text) ||
         std::any_of(others_.begin(), others_.end(),
                     [&](const std::string& glob) { return glob_matches(glob, text); });
}

}  // namespace pixmilter::config
