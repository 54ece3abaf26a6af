// Pattern: one value of a condition that looks at text. A glob, a regular expression or the path of a map
// file. The only door to RE2.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/map_file.h"

namespace re2 {
class RE2;
}

namespace pixmilter::config {

// Case never matters (domains, header names and MIME types have none, and nobody means Joe@ and joe@ to be
// two people). Copies share what is behind them; matching is safe from several threads.
class Pattern {
 public:
  // "*@example.org": a glob, * stands for any characters, ? for one, and it has to match the whole text.
  // "regexp:/…/": an RE2 expression that is found anywhere in the text; no expression can hang.
  // "/etc/…": a map file, whose lines are globs. A map file that is not there matches nothing.
  // Error: an expression that RE2 does not understand, with its reason.
  static Result<Pattern> parse(std::string_view text);

  bool matches(std::string_view text) const;
  // The same for a client's address: the lines of a map file may be blocks of addresses as well.
  bool matches_address(std::string_view address) const;

  // As it is written in the configuration.
  const std::string& text() const { return text_; }
  // The map file behind it, or nullptr.
  const MapFile* map_file() const { return map_.get(); }
  // A glob of stars alone: matches everything.
  bool matches_everything() const;

  bool operator==(const Pattern& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  std::string glob_;  // in lower case
  std::shared_ptr<const re2::RE2> expression_;
  std::shared_ptr<MapFile> map_;
};

// Whether a glob in lower case matches a text in lower case. Both are UTF-8, and ? is a character; a byte of
// a text that is none counts as one. Time: at most the product of both lengths.
bool glob_matches(std::string_view glob, std::string_view text);

}  // namespace pixmilter::config
