// What builds with ThreadSanitizer need (make SANITIZE=thread); nothing in others.
#pragma once

namespace pixmilter {

// The runtime has a thread in each process, one after each fork(). It sleeps, for which a sealed worker is
// killed, and a process of two threads gets no user namespace. Once it is ended it stays away from this
// process.
void end_runtime_thread();

}  // namespace pixmilter
