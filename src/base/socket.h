// Packets between our own processes: SOCK_SEQPACKET pairs that carry bytes and descriptors.
//
// One send is one packet, whole or not at all, so the protocols above need no framing. Descriptors travel
// by SCM_RIGHTS (unix(7)); all that is received is close-on-exec.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace pixmilter {

// Descriptors that one packet may carry.
inline constexpr std::size_t kMaxPacketFds = 4;

// Two connected ends, both close-on-exec and blocking.
Result<std::pair<UniqueFd, UniqueFd>> socket_pair();

enum class Transfer {
  done,
  again,   // would have to wait: the buffer is full, or nothing has come
  closed,  // the other end has gone
  broken,  // an error, or a packet larger than was asked for
};

// Sends one packet; the descriptors stay the caller's. Raises no SIGPIPE. With wait, blocks while the
// buffer is full.
Transfer send_packet(int socket, std::string_view bytes, std::span<const int> fds, bool wait);

struct Packet {
  std::string bytes;
  std::vector<UniqueFd> fds;
};

// Receives one packet of at most max_bytes into packet. A longer one, or one with more than kMaxPacketFds
// descriptors, is broken. With wait, blocks until there is one. An empty packet counts as the end.
Transfer receive_packet(int socket, std::size_t max_bytes, bool wait, Packet& packet);

// Waits until the descriptor can be read, has ended or failed; false when the deadline passed first.
bool wait_readable(int fd, Deadline deadline);

// For poll(2): what is left of a deadline, at most longest.
int poll_milliseconds(Deadline deadline, Milliseconds longest = Milliseconds(60'000));

}  // namespace pixmilter
