// The edits of a message and its reply leave together.
//
// libmilter writes each edit by itself (libmilter/comm.c, mi_wr_cmd()): a new body, a few header fields and
// the reply are seven writes, with a poll() before each, and every one wakes the MTA. Here short ones wait
// for those behind them, so that a message of a few kilobytes is changed by one write: the MTA has all of it
// or nothing. A long chunk of a body is written from where it lies, with what waited before it.
//
// Also, poll() is asked only where a connection takes no more, and no write waits longer than libmilter
// wanted poll() to: its connections block, so that a long write to an MTA that does not read would never end.
//
// A message's edits and its reply are written by one thread, and nothing else on this connection in between.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>

namespace pixmilter::milter::reply_burst {

// The most that waits, in bytes. A thread that has had edits keeps a buffer of this size.
inline constexpr std::size_t kMost = 16384;

// Before each edit: what this thread writes from now on may wait.
void begin() noexcept;
// The callback returns: the next write, the reply, takes along what waits.
void end() noexcept;

// How long this thread's writes may wait for a connection that takes nothing: milliseconds, -1 for ever.
void allow(int timeout) noexcept;
// As writev(2). What waits counts as written; that it could not be is said by a later write.
ssize_t writev(int fd, const iovec* pieces, int count) noexcept;

// The connection is read from, so no reply is on its way: what still waits is written. Nothing does, in
// practice.
void flush(int fd) noexcept;
// It is about to be closed: what waits for it is dropped.
void closed(int fd) noexcept;

}  // namespace pixmilter::milter::reply_burst
