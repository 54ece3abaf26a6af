// MapFile: a file of one value a line that stands for a list in a condition.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace pixmilter::config {

// Lines are values (globs, in any case, or blocks of addresses); blank lines and what follows "#" are passed
// over. The file is looked at again at most once a second while it is used, and read again when it has
// changed. A question takes a few hash look-ups, however many lines there are, but for lines that begin and
// end with a wildcard. One that cannot be read any more keeps what it held, and the log says so once, until
// it is back: whoever writes it anew may take it away first. One that never could be read is empty. Safe from
// several threads.
class MapFile {
 public:
  // Two conditions of one configuration that name the same path share one.
  static std::shared_ptr<MapFile> open(const std::string& path);

  explicit MapFile(std::string path);

  // Whether a line matches the text, which is in lower case.
  bool contains(std::string_view lower) const;
  // Whether a line is the address or a block that it is in.
  bool contains_address(std::string_view address) const;

  const std::string& path() const { return path_; }
  // Why it cannot be read; empty: it could be.
  std::string problem() const;
  std::size_t size() const;

  struct Line {
    std::size_t number = 0;
    std::string text;
  };
  // The first line that no address of a client can match: neither an address nor a block nor a glob with a
  // wildcard. Number 0: there is none.
  Line no_address() const;

 private:
  struct Contents;  // what was read, ready to be asked
  std::shared_ptr<const Contents> current() const;
  // Nothing where before still holds: nothing has changed, or trouble says why it cannot be read.
  static std::shared_ptr<const Contents> read(const std::string& path, const Contents* before,
                                              std::string& trouble);

  const std::string path_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Contents> contents_;
  mutable std::chrono::steady_clock::time_point look_again_;
  mutable bool gone_ = false;  // and the log has said so
};

}  // namespace pixmilter::config
