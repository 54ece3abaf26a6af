// The system calls that a sealed worker has left: a seccomp(2) allow-list.
//
// It binds every thread there is (SECCOMP_FILTER_FLAG_TSYNC), and every one there will be. Whatever is not
// on the list kills the process.
#pragma once

#include "base/result.h"

namespace pixmilter::render {

struct FilterOptions {
  int socket = -1;          // the only one to receive from and send to
  bool read_files = false;  // open for reading, which something else has to narrow down to fonts
};

// For good. Sets no_new_privs as well. Fails where the kernel has no seccomp, or cannot bind all threads.
Status forbid_system_calls(const FilterOptions& options);

}  // namespace pixmilter::render
