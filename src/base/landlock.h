// Landlock (landlock(7)): which files a worker may still touch, as the kernel's own second opinion.
//
// Raw system calls with our own constants: Debian 12's headers are older than kernels it runs on. Where
// the kernel has no Landlock, everything here says so and changes nothing.
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace pixmilter::render {

// The kernel's version of it, 0 where there is none.
int landlock_version();

// For this thread and all that it starts: no file is written, made, removed or executed any more, no TCP
// port is bound or connected to, no signal leaves the process. Needs no_new_privs.
Status forbid_writing();

// For every thread of the process: of the file system only what lies beneath these folders can be read;
// with none of them, nothing. Folders that do not exist are passed over. Needs no_new_privs.
Status allow_reading_only(std::span<const char* const> folders);

}  // namespace pixmilter::render
