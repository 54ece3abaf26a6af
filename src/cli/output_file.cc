#include "cli/output_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/unique_fd.h"
#include "cli/input.h"

namespace pixmilter::cli {
namespace {

Error failed(const std::string& file) { return Error{file + ": " + std::strerror(errno)}; }

Status write_all(int fd, const std::string& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed(file);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Done{};
}

}  // namespace

Status write_file(const std::string& file, std::string_view bytes) {
  if (file.empty() || file == "-") return write_output(bytes);
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    const UniqueFd special(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    return special ? write_all(special.get(), file, bytes) : failed(file);
  }
  std::string temporary = file + ".XXXXXX";
  UniqueFd out(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!out) return failed(file);
  Status written = write_all(out.get(), file, bytes);
  if (written && (::close(out.release()) != 0 || ::rename(temporary.c_str(), file.c_str()) != 0))
    written = failed(file);
  if (!written) ::unlink(temporary.c_str());
  return written;
}

}  // namespace pixmilter::cli
