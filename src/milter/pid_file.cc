#include "milter/pid_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace pixmilter::milter {
namespace {

Error about(const std::string& path, const char* why) { return Error{"--pidfile: " + path + ": " + why}; }

std::string read_line(int fd) {
  char text[32];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  std::string line(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  return line.substr(0, line.find('\n'));
}

}  // namespace

Result<PidFile> PidFile::make(const std::string& path) {
  PidFile made;
  // No link is followed: the folder may be one that others write to.
  made.fd_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
  if (!made.fd_) return about(path, std::strerror(errno));
  struct stat status {};
  if (::fstat(made.fd_.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return about(path, "no regular file");
  if (::flock(made.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return about(path, std::strerror(errno));
    return about(path, ("process " + read_line(made.fd_.get()) + " holds it").c_str());
  }
  const std::string line = std::to_string(::getpid()) + "\n";
  if (::ftruncate(made.fd_.get(), 0) != 0 ||
      ::pwrite(made.fd_.get(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size()))
    return about(path, std::strerror(errno));
  made.path_ = path;
  made.owner_ = ::getpid();
  return made;
}

PidFile::PidFile(PidFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)), owner_(other.owner_) {}

PidFile::~PidFile() {
  if (path_.empty() || owner_ != ::getpid()) return;
  if (::unlink(path_.c_str()) != 0 && ::ftruncate(fd_.get(), 0) != 0) return;
}

}  // namespace pixmilter::milter
