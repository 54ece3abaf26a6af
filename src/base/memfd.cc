#include "base/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U  // Linux 6.3
#endif

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010  // Linux 5.1
#endif

namespace pixmilter {
namespace {

Error failure(const char* what) { return Error{std::string(what) + ": " + std::strerror(errno)}; }

UniqueFd create() {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd fd(::memfd_create("pixmilter", kFlags | MFD_NOEXEC_SEAL));
  if (!fd && errno == EINVAL) fd.reset(::memfd_create("pixmilter", kFlags));
  return fd;
}

}  // namespace

Result<UniqueFd> sealed_memfd(std::string_view bytes) {
  UniqueFd fd = create();
  if (!fd) return failure("memfd_create");
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failure("write to a memfd");
    done += static_cast<std::size_t>(written);
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    return failure("F_ADD_SEALS");
  return fd;
}

Result<UniqueFd> fixed_memfd(std::uint64_t size) {
  UniqueFd fd = create();
  if (!fd) return failure("memfd_create");
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return failure("ftruncate of a memfd");
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    return failure("F_ADD_SEALS");
  return fd;
}

Result<std::string> copy_memfd(int fd, std::uint64_t size) {
  std::string bytes(size, '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure("read of a memfd");
    if (got == 0) return Error{"a memfd is shorter than it was made"};
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<SharedBytes> SharedBytes::make(std::size_t size) {
  SharedBytes made;
  made.fd_ = create();
  if (!made.fd_) return failure("memfd_create");
  // All of it will be written. Where there is no memory that is said here, and not by a signal later.
  if (const int failed = ::posix_fallocate(made.fd_.get(), 0, static_cast<off_t>(size)); failed != 0)
    return Error{std::string("no memory for a memfd: ") + std::strerror(failed)};
  constexpr int kFlags = MAP_SHARED | MAP_POPULATE;
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, kFlags, made.fd_.get(), 0);
  if (address == MAP_FAILED) return failure("mmap of a memfd");
  made.address_ = static_cast<char*>(address);
  made.mapped_ = size;
  return made;
}

SharedBytes::~SharedBytes() {
  if (address_ != nullptr) ::munmap(address_, mapped_);
}

// Sealed against writing it could only be where no writable mapping was.
Status SharedBytes::seal(std::size_t size) {
  constexpr int kSeals = F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return failure("ftruncate of a memfd");
  if (::fcntl(fd_.get(), F_ADD_SEALS, kSeals) != 0) return failure("F_ADD_SEALS");
  ::mprotect(address_, mapped_, PROT_READ);
  size_ = size;
  return Done{};
}

void SharedBytes::swap(SharedBytes& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(address_, other.address_);
  std::swap(mapped_, other.mapped_);
  std::swap(size_, other.size_);
}

}  // namespace pixmilter
