// What a connection has sent beyond what libmilter asks for is read along with it.
//
// libmilter reads the length of a command and then the rest, and asks before each whether there is something
// (libmilter/comm.c, engine.c): three calls of poll() and two of read() for each of about twenty commands,
// which MTAs send several at a time. Of a message that passes unchanged that was most of the time. Here one
// call takes what has come, and those that follow are answered from it.
//
// A connection belongs to one thread at a time: the one that libmilter has given its session to. libmilter
// waits for it together with others only after a poll() for it alone has found nothing, which it never does
// while something is left here.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace pixmilter::milter::read_ahead {

// The most that is read beyond what was asked for. A connection that has nothing to be answered holds no
// memory.
inline constexpr std::size_t kMost = 4096;

// A connection was accepted: its reads go ahead from now on. Others' never do.
void opened(int fd) noexcept;
// It is about to be closed: what is left is dropped.
void closed(int fd) noexcept;

// Whether a read() will find something, without asking the system.
bool is_ready(int fd) noexcept;
// The system has said so; true until the next read().
void found_ready(int fd) noexcept;

// As read(2).
ssize_t read(int fd, void* to, std::size_t size) noexcept;

}  // namespace pixmilter::milter::read_ahead
