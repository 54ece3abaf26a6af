#include "milter/standing.h"

#include <sys/mman.h>
#include <time.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <string>

namespace pixmilter::milter {

Result<Standing*> Standing::make() {
  void* page = ::mmap(nullptr, sizeof(Standing), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return Error{std::string("no shared memory: ") + std::strerror(errno)};
  auto* standing = new (page) Standing;
  standing->started = standing->in_force_since = ::time(nullptr);
  return standing;
}

}  // namespace pixmilter::milter
