// Anonymous files in memory (memfd_create(2)): how pictures travel between our processes.
//
// Seals (fcntl(2), F_ADD_SEALS) make them safe to share with a process that may have been taken over: what
// is sealed against shrinking never raises SIGBUS on the reader, what is sealed against growing takes no
// more memory than it was given, what is sealed against writing stays what it was.
#pragma once

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

}  // namespace pixmilter
