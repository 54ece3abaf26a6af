#include "milter/reply_burst.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

namespace pixmilter::milter::reply_burst {
namespace {

constexpr std::size_t kMostPieces = 4;  // libmilter writes two

struct Waiting {
  int fd = -1;
  std::size_t size = 0;
  std::array<char, kMost> bytes;
};

thread_local std::unique_ptr<Waiting> t_waiting;
thread_local bool t_begun = false;
thread_local int t_timeout = -1;

bool waits_for(int fd) { return t_waiting && t_waiting->size > 0 && t_waiting->fd == fd; }

std::size_t total(const iovec* pieces, int count) {
  std::size_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes += pieces[i].iov_len;
  return bytes;
}

// Whether the pieces have joined what waits.
bool joined(int fd, const iovec* pieces, int count) {
  const std::size_t bytes = total(pieces, count);
  if (!t_begun || bytes > kMost) return false;
  if (!t_waiting) t_waiting.reset(new (std::nothrow) Waiting);
  if (!t_waiting) return false;
  Waiting& waiting = *t_waiting;
  if (waiting.size > 0 && (waiting.fd != fd || bytes > kMost - waiting.size)) return false;
  waiting.fd = fd;
  for (int i = 0; i < count; ++i) {
    if (pieces[i].iov_len == 0) continue;
    std::memcpy(waiting.bytes.data() + waiting.size, pieces[i].iov_base, pieces[i].iov_len);
    waiting.size += pieces[i].iov_len;
  }
  return true;
}

// As much as the connection takes; once it takes nothing, after poll() for as long as is allowed.
ssize_t send(int fd, iovec* pieces, std::size_t count) {
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = count;
  ssize_t sent = ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) {
    pollfd asked{fd, POLLOUT, 0};
    const int found = ::poll(&asked, 1, t_timeout);
    if (found == 0) errno = ETIMEDOUT;
    if (found > 0) sent = ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  return sent;
}

}  // namespace

void begin() noexcept { t_begun = true; }
void end() noexcept { t_begun = false; }
void allow(int timeout) noexcept { t_timeout = timeout; }

ssize_t writev(int fd, const iovec* pieces, int count) noexcept {
  if (joined(fd, pieces, count)) return static_cast<ssize_t>(total(pieces, count));
  std::array<iovec, 1 + kMostPieces> all;
  std::size_t used = 0;
  const std::size_t waiting = waits_for(fd) ? t_waiting->size : 0;
  if (waiting > 0) all[used++] = {t_waiting->bytes.data(), waiting};
  for (int i = 0; i < count && used < all.size(); ++i) all[used++] = pieces[i];
  const ssize_t sent = send(fd, all.data(), used);
  if (sent <= 0 || waiting == 0) return sent;
  // Not all of what waited: the caller's pieces have to come again, whole.
  const std::size_t gone = std::min(static_cast<std::size_t>(sent), waiting);
  std::memmove(t_waiting->bytes.data(), t_waiting->bytes.data() + gone, waiting - gone);
  t_waiting->size = waiting - gone;
  return sent - static_cast<ssize_t>(gone);
}

void flush(int fd) noexcept {
  while (waits_for(fd)) {
    const ssize_t failed = writev(fd, nullptr, 0);
    if (failed < 0 && errno != EINTR && errno != EAGAIN) t_waiting->size = 0;  // the reader finds out
  }
}

void closed(int fd) noexcept {
  if (waits_for(fd)) t_waiting->size = 0;
}

}  // namespace pixmilter::milter::reply_burst
