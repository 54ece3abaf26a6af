// The seams: the few system calls of libmilter that lead through us.
//
// libmilter is linked as Debian's libmilter.a, in which the build renames these calls (the Makefile's
// objcopy line), so that nobody else's calls are concerned. Each is here because the library alone cannot do
// what a filter of this kind needs:
//
//   pthread_create, pthread_cond_signal, pthread_cond_timedwait
//     Debian builds libmilter with a pool of workers (libmilter/worker.c). Whoever finds a session ready
//     signals a condition variable when the pool's idle count is not 0, and starts a worker when it is. But
//     a worker that was signalled counts as idle until it has run again, so that two sessions that become
//     ready at once are both "given" to it. It takes one; the other waits until some worker has finished a
//     command, which is as long as the slowest message takes, or until a waiting worker's 10 seconds are
//     over. We count exactly instead: a signal that no waiting worker is left for starts a worker, and the
//     new worker looks for a ready session first. So there are as many workers about to look as there are
//     ready sessions, and none waits for another's message.
//     To wake a thread for each of many short steps costs more than the steps do. So a signal waits a
//     moment where as many workers are at work as there are processors: each looks for a ready
//     session before it rests. Those that work on a message with pictures (take_long()) do not count. When
//     the moment is over and no worker has come to rest, the signals that waited are given after all.
//   writev
//     A callback's reply is written after it has returned. A message is in hand until then, and so it tells
//     us when the front may end.
//   writev, poll
//     The edits of a message and its reply leave together (reply_burst.h).
//   sigwait
//     libmilter ends on SIGTERM, SIGINT and SIGHUP and drops the sessions that are between two commands.
//     Here the master decides; the library waits for signals that never come.
//   accept
//     A front that gives way to another takes no more connections, while those that it has go on.
//   accept, close, poll, read
//     Of each session what has come is read at once (read_ahead.h).
//   malloc
//     A macro that an MTA sends without a value makes smfi_getsymval() step over the end of its list, and a
//     connect command without an end is read one byte too far (libmilter/smfi.c, engine.c). What libmilter
//     allocates is followed by a few zeros, where such steps end.
//   time
//     The pool closes sessions that have waited for two hours (libmilter/worker.c). By the wall clock those
//     that have only begun would seem to, when it is stepped forward; so it is told the monotonic one.
//   syslog
//     One log, wherever it goes.
#pragma once

#include <memory>

namespace pixmilter::milter::seams {

// Called by a callback just before it returns: held is let go on this thread when the reply has been written
// or could not be. What is still held then (nothing, in practice) is let go at once.
void hold_until_reply(std::shared_ptr<void> held) noexcept;

// Called by a callback before work that may take long: until it returns, this thread is not one that others
// can wait for.
void take_long() noexcept;

// The callback returns.
void step_over() noexcept;

// Called when a session ends: no reply is owed any more on this thread.
void no_reply() noexcept;

// From now on connections wait for whoever else listens. From any thread.
void take_no_connections() noexcept;

}  // namespace pixmilter::milter::seams
