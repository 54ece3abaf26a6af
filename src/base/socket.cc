#include "base/socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pixmilter {

Result<std::pair<UniqueFd, UniqueFd>> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{std::string("cannot make a socket pair: ") + std::strerror(errno)};
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

Transfer send_packet(int socket, std::string_view bytes, std::span<const int> fds, bool wait) {
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxPacketFds * sizeof(int))] = {};
  if (fds.size() > kMaxPacketFds) return Transfer::broken;
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  const int flags = MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT);
  ssize_t sent;
  do sent = ::sendmsg(socket, &header, flags);
  while (sent < 0 && errno == EINTR);
  if (sent == static_cast<ssize_t>(bytes.size())) return Transfer::done;
  if (sent >= 0) return Transfer::broken;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Transfer::again;
  return errno == EPIPE || errno == ECONNRESET ? Transfer::closed : Transfer::broken;
}

Transfer receive_packet(int socket, std::size_t max_bytes, bool wait, Packet& packet) {
  packet.bytes.resize(max_bytes);
  packet.fds.clear();
  iovec piece{packet.bytes.data(), packet.bytes.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxPacketFds * sizeof(int))];
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const int flags = MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT);
  ssize_t size;
  do size = ::recvmsg(socket, &header, flags);
  while (size < 0 && errno == EINTR);
  if (size < 0) {
    packet.bytes.clear();
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Transfer::again;
    return errno == ECONNRESET ? Transfer::closed : Transfer::broken;
  }
  packet.bytes.resize(static_cast<std::size_t>(size));
  // Take ownership of whatever came, before anything is refused: nothing may leak.
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      packet.fds.emplace_back(fd);
    }
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Transfer::broken;
  return size == 0 ? Transfer::closed : Transfer::done;
}

bool wait_readable(int fd, Deadline deadline) {
  for (;;) {
    pollfd one{fd, POLLIN, 0};
    const int ready = ::poll(&one, 1, poll_milliseconds(deadline));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // let the read say what is wrong
    if (ready == 0 && deadline.passed()) return false;
  }
}

int poll_milliseconds(Deadline deadline, Milliseconds longest) {
  return static_cast<int>(std::min(deadline.left(), longest).count());
}

}  // namespace pixmilter
