// Pid file: says which process is the master, for what starts and stops it without a service manager.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace pixmilter::milter {

// Owns the file for as long as it lives. Movable; one thread.
class PidFile {
 public:
  // Writes this process's id, a line, mode 0644. A file that another pixmilter holds is an error; one that
  // was left behind is taken over.
  static Result<PidFile> make(const std::string& path);

  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&&) = delete;
  // Removes the file; where this user may not do that any more, empties it.
  ~PidFile();

 private:
  PidFile() = default;
  std::string path_;
  UniqueFd fd_;
  pid_t owner_ = 0;  // a child that has a copy leaves the file alone
};

}  // namespace pixmilter::milter
