#include "milter/watchdog.h"

#include <arpa/inet.h>
#include <libmilter/mfdef.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/log.h"

namespace pixmilter::milter {
namespace {

// Probes are this much more frequent than the manager demands, so that one that is lost does not end the
// service.
constexpr int kProbesPerInterval = 3;

template <class Number>
std::optional<Number> number_from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  Number value = 0;
  const char* end = text + std::strlen(text);
  const auto read = std::from_chars(text, end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

// SMFIC_OPTNEG: length, command, version, actions, steps; numbers in network order.
std::array<char, 17> first_words() {
  std::array<char, 17> packet{};
  const auto put = [&packet](std::size_t at, std::uint32_t value) {
    value = htonl(value);
    std::memcpy(packet.data() + at, &value, sizeof value);
  };
  put(0, 13);
  packet[4] = SMFIC_OPTNEG;
  put(5, SMFI_PROT_VERSION);
  put(9, SMFI_CURR_ACTS);
  put(13, SMFI_CURR_PROT);
  return packet;
}

}  // namespace

std::optional<Milliseconds> watchdog_interval() {
  const auto microseconds = number_from_environment<std::uint64_t>("WATCHDOG_USEC");
  if (!microseconds || *microseconds == 0) return std::nullopt;
  const auto pid = number_from_environment<pid_t>("WATCHDOG_PID");
  if (std::getenv("WATCHDOG_PID") != nullptr && pid != ::getpid()) return std::nullopt;
  return std::chrono::duration_cast<Milliseconds>(std::chrono::microseconds(*microseconds));
}

Watchdog::Watchdog(int listen_fd, Milliseconds interval)
    : listen_fd_(listen_fd),
      pause_(std::max(interval / kProbesPerInterval, Milliseconds(1))),
      next_(Clock::now()) {}

short Watchdog::events() const { return asked_ ? POLLIN : POLLOUT; }

bool Watchdog::step() {
  if (probe_ && Clock::now() >= next_) {
    if (!complained_) log::error("the front does not answer: no ping to the service manager");
    complained_ = true;
    rest(Milliseconds(0));
    return false;
  }
  if (!probe_) {
    if (Clock::now() < next_) return false;
    if (!begin()) {
      rest(pause_);
      return false;
    }
  }
  if (!asked_) {
    if (!ask()) rest(pause_);
    return false;
  }
  if (!answered()) return false;
  if (complained_) log::notice("the front answers again");
  complained_ = false;
  return true;
}

// Where the socket listens is where a client would find it.
bool Watchdog::begin() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  probe_.reset(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe_) return false;
  next_ = Clock::now() + pause_;
  asked_ = false;
  return ::connect(probe_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0 ||
         errno == EINPROGRESS;
}

// False: this probe has come to nothing.
bool Watchdog::ask() {
  pollfd writable{probe_.get(), POLLOUT, 0};
  if (::poll(&writable, 1, 0) == 0) return true;  // not connected yet
  const auto words = first_words();
  if (::send(probe_.get(), words.data(), words.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(words.size()))
    return false;
  asked_ = true;
  return true;
}

bool Watchdog::answered() {
  char answer[5];
  const ssize_t size = ::recv(probe_.get(), answer, sizeof answer, MSG_PEEK);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (size > 0 && size < static_cast<ssize_t>(sizeof answer)) return false;  // the rest comes
  rest(pause_);
  return size > 0 && answer[4] == SMFIC_OPTNEG;
}

void Watchdog::rest(Milliseconds pause) {
  probe_.reset();
  asked_ = false;
  next_ = Clock::now() + pause;
}

}  // namespace pixmilter::milter
