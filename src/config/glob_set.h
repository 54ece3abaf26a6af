// GlobSet: many globs at once, asked by hash look-ups instead of one by one.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace pixmilter::config {

// Globs are filed under the literal text that they end in ("@example.org" of "*@example.org"), else under the
// one they begin with; a question looks up the ends and beginnings of its text in every length there is. Only
// globs with a wildcard at both ends are tried one by one. All in lower case.
class GlobSet {
 public:
  void insert(std::string_view glob);
  bool matches(std::string_view text) const;
  std::size_t size() const { return size_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  // A literal and the globs that it is an end of; the bare "*literal" or "literal*" is kept as a flag.
  struct Shelf {
    bool alone = false;
    std::vector<std::string> globs;
  };
  struct Shelves {
    std::unordered_map<std::string, Shelf, Hash, std::equal_to<>> by_literal;
    std::set<std::size_t> lengths;
  };
  static bool matches(const Shelves& shelves, bool at_end, std::string_view text);

  std::unordered_set<std::string, Hash, std::equal_to<>> literals_;
  Shelves tails_;
  Shelves heads_;
  std::vector<std::string> others_;
  std::size_t size_ = 0;
};

}  // namespace pixmilter::config
