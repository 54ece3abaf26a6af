// MapFile: a file of one value a line that stands for a list in a condition.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace pixmilter::config {

// Lines are values (globs, in any case); blank lines and what follows "#" are passed over. The file is looked
// at again at most once a second while it is used, and read again when it has changed. One that cannot be
// read keeps what it held; one that never could be read is empty. Safe from several threads.
class MapFile {
 public:
  // Two conditions of one configuration that name the same path share one.
  static std::shared_ptr<MapFile> open(const std::string& path);

  explicit MapFile(std::string path);

  // Whether a line matches the text, which is in lower case.
  bool contains(std::string_view lower) const;

  const std::string& path() const { return path_; }
  // Why it cannot be read; empty: it could be.
  std::string problem() const;
  std::size_t size() const;

 private:
  struct Contents {
    std::unordered_set<std::string> values;
    std::vector<std::string> globs;
    std::string problem;
    std::int64_t changed_ns = -1;  // modification time and size of what was read
    std::int64_t size = -1;
  };
  std::shared_ptr<const Contents> current() const;
  static std::shared_ptr<const Contents> read(const std::string& path, const Contents* before);

  const std::string path_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Contents> contents_;
  mutable std::chrono::steady_clock::time_point look_again_;
};

}  // namespace pixmilter::config
