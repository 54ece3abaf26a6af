// Control: what the master and the front say to each other, over a packet socket (base/socket.h).
//
//   master -> front   Drain       finish what is in hand, within the given time, then end
//                     Reload      fd: the configuration's text. For messages from now on
//                     Leave       another front takes over: no new connections; those that there are go on,
//                                 for the given time at most; then as Drain
//                     Zygote      fd: a connection to a render zygote
//                     Fetcher     fd: a line to a fetch process
//                     Metrics     fd: the socket to answer those who watch on
//                     NoMetrics   nobody watches any more
//   front -> master   WantZygote  a new connection, please; those given before are of no use any more
//                     WantFetcher the same for a fetch process
//                     Serving     libmilter is about to accept
//                     Leaving     no more connections are taken here
//
// The end of the socket means, to the front, that the master has gone: it drains and ends. To the master it
// means that the front has gone, of which it is told by SIGCHLD as well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/socket.h"
#include "base/unique_fd.h"

namespace pixmilter::milter::control {

enum class Kind : std::uint8_t {
  drain = 1,
  reload,
  zygote,
  fetcher,
  leave,
  metrics,
  no_metrics,
  want_zygote,
  want_fetcher,
  serving,
  leaving,
};

struct Letter {
  Kind kind = Kind::serving;
  std::uint64_t number = 0;  // drain, leave: milliseconds; reload: bytes of the text
  std::string text;          // reload: the file's name, for messages
  std::vector<UniqueFd> fds;
};

// Never blocks. False where the other end has gone or does not read.
bool send(int socket, const Letter& letter);

// Never blocks.
struct Received {
  Transfer how = Transfer::again;
  std::optional<Letter> letter;  // when done and well-formed
};
Received receive(int socket);

}  // namespace pixmilter::milter::control
