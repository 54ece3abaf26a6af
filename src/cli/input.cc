#include "cli/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace pixmilter::cli {

Result<std::string> read_input(const std::string& file) {
  const bool standard = file.empty() || file == "-";
  UniqueFd opened;
  if (!standard) {
    opened.reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) return Error{file + ": " + std::strerror(errno)};
  }
  const int fd = standard ? STDIN_FILENO : opened.get();
  std::string bytes;
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    bytes.reserve(static_cast<std::size_t>(status.st_size) + 1);
  std::size_t size = 0;
  while (true) {
    // Grows to what is reserved first, then by half.
    if (bytes.size() == size)
      bytes.resize(size < bytes.capacity() ? bytes.capacity()
                                           : std::max(size + size / 2, std::size_t{1} << 16));
    const ssize_t got = ::read(fd, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{(standard ? "standard input" : file) + ": " + std::strerror(errno)};
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  bytes.resize(size);
  return bytes;
}

Status write_output(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error{std::string("standard output: ") + std::strerror(errno)};
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Done{};
}

}  // namespace pixmilter::cli
