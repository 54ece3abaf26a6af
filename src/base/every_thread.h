// on_every_thread: makes each thread of the process do one thing to itself.
//
// Landlock binds threads, not processes. glibc does the same for setuid(), by a signal to each.
#pragma once

#include "base/result.h"

namespace pixmilter {

// Calls what(argument) on all other threads, within a signal handler, then on this one; what returns 0 on
// success and does nothing but system calls. Fails when a thread failed or did not answer within five
// seconds. No thread may be starting others meanwhile. One call at a time.
Status on_every_thread(int (*what)(int), int argument);

}  // namespace pixmilter
