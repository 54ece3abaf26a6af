// Anonymous files in memory (memfd_create(2)): how pictures travel between our processes.
//
// Seals (fcntl(2), F_ADD_SEALS) make them safe to share with a process that may have been taken over: what
// is sealed against shrinking never raises SIGBUS on the reader, what is sealed against growing takes no
// more memory than it was given, what is sealed against writing stays what it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace pixmilter {

// Holds a copy of bytes, which nobody can change any more.
Result<UniqueFd> sealed_memfd(std::string_view bytes);

// Holds size zero bytes (no memory is taken until they are written), which can be written but neither
// grow nor shrink.
Result<UniqueFd> fixed_memfd(std::uint64_t size);

// A copy of the first size bytes. The file may be shared with a writer: look at nothing but the copy.
Result<std::string> copy_memfd(int fd, std::uint64_t size);

// Memory that is filled here and then shown to other processes, without a copy: they can read it and no
// more, whatever they try.
//
// Owns the file and its mapping; moved, both stay where they are. An empty one holds nothing.
class SharedBytes {
 public:
  // Zero bytes, writable here. Needs Linux 5.1 (F_SEAL_FUTURE_WRITE).
  static Result<SharedBytes> make(std::size_t size);
  SharedBytes() = default;
  SharedBytes(SharedBytes&& other) noexcept { swap(other); }
  SharedBytes& operator=(SharedBytes&& other) noexcept {
    swap(other);
    return *this;
  }
  ~SharedBytes();

  char* room() { return address_; }
  // They are all there: the first size of them stay as they are, the others are given back.
  Status seal(std::size_t size);

  // Once sealed. The file is borrowed.
  std::string_view view() const { return {address_, size_}; }
  int fd() const { return fd_.get(); }

 private:
  void swap(SharedBytes& other) noexcept;

  UniqueFd fd_;
  char* address_ = nullptr;
  std::size_t mapped_ = 0;
  std::size_t size_ = 0;
};

}  // namespace pixmilter
