#include "milter/read_ahead.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace pixmilter::milter::read_ahead {
namespace {

struct Kept {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::array<char, kMost> bytes;
};

struct Connection {
  std::atomic<bool> open = false;
  std::atomic<bool> ready = false;
  std::unique_ptr<Kept> kept;  // never empty
};

// By descriptor. Those beyond are read as libmilter asks.
constexpr std::size_t kConnections = 1 << 16;
std::array<Connection, kConnections> g_connections;

// For the next read of this thread: there is room before anything is taken from the connection, so that
// nothing is lost where memory is.
thread_local std::unique_ptr<Kept> t_spare;

Connection* connection(int fd) {
  if (fd < 0 || static_cast<std::size_t>(fd) >= kConnections) return nullptr;
  Connection& found = g_connections[static_cast<std::size_t>(fd)];
  return found.open ? &found : nullptr;
}

std::size_t take(Connection& from, void* to, std::size_t size) {
  Kept& kept = *from.kept;
  size = std::min(size, kept.end - kept.begin);
  std::memcpy(to, kept.bytes.data() + kept.begin, size);
  kept.begin += size;
  if (kept.begin == kept.end) t_spare = std::move(from.kept);
  return size;
}

}  // namespace

void opened(int fd) noexcept {
  if (fd < 0 || static_cast<std::size_t>(fd) >= kConnections) return;
  g_connections[static_cast<std::size_t>(fd)].open = true;
}

void closed(int fd) noexcept {
  Connection* ended = connection(fd);
  if (ended == nullptr) return;
  ended->kept.reset();
  ended->ready = false;
  ended->open = false;
}

bool is_ready(int fd) noexcept {
  const Connection* asked = connection(fd);
  return asked != nullptr && (asked->kept || asked->ready);
}

void found_ready(int fd) noexcept {
  if (Connection* found = connection(fd); found != nullptr) found->ready = true;
}

ssize_t read(int fd, void* to, std::size_t size) noexcept {
  Connection* from = connection(fd);
  if (from == nullptr) return ::read(fd, to, size);
  if (from->kept) return static_cast<ssize_t>(take(*from, to, size));
  from->ready = false;
  if (!t_spare) t_spare.reset(new (std::nothrow) Kept);
  if (!t_spare) return ::read(fd, to, size);
  const iovec pieces[] = {{to, size}, {t_spare->bytes.data(), t_spare->bytes.size()}};
  const ssize_t got = ::readv(fd, pieces, 2);
  if (got <= static_cast<ssize_t>(size)) return got;
  t_spare->begin = 0;
  t_spare->end = static_cast<std::size_t>(got) - size;
  from->kept = std::move(t_spare);
  return static_cast<ssize_t>(size);
}

}  // namespace pixmilter::milter::read_ahead
