// RedisConnection: one connection to a Redis server, with an end to every wait.
//
// hiredis writes commands and reads replies; sockets are ours, because its own time-outs count anew with each
// read, so that a server which trickles could hold a message for minutes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "config/redis_url.h"

struct redisReader;

namespace pixmilter::source {

struct RedisReply {
  enum class Kind : std::uint8_t { text, integer, nil, error };
  Kind kind = Kind::nil;
  std::string text;  // a string or status, or what the error says
};

// One thread at a time. After an Error it is good for nothing more.
class RedisConnection {
 public:
  // Connects, and goes through AUTH, SELECT and PING. Looking up a host name is bound by the resolver's own
  // limits, not by the deadline: not for a thread that has mail in hand. max_reply: bytes of one reply.
  static Result<std::unique_ptr<RedisConnection>> connect(const config::RedisAddress& address,
                                                          std::uint64_t max_reply, Deadline deadline);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Puts a command into the queue that exchange() sends.
  void queue(std::initializer_list<std::string_view> arguments);
  // Sends what is queued and appends one reply for each command to replies, in order. When the deadline
  // passes or the server breaks the protocol: an Error, and replies holds those that came.
  Status exchange(std::vector<RedisReply>& replies, Deadline deadline);

  // The server has ended an idle connection, or sent what nobody asked for.
  bool stale() const;

 private:
  RedisConnection(UniqueFd socket, std::uint64_t max_reply);
  Status take_replies(std::vector<RedisReply>& replies);
  Status hear(std::vector<RedisReply>& replies);

  UniqueFd socket_;
  const std::uint64_t max_reply_;
  redisReader* reader_;
  std::string output_;        // not sent yet
  std::size_t expected_ = 0;  // replies that are to come
  std::uint64_t unread_ = 0;  // bytes that the reader has got since the last whole reply
};

}  // namespace pixmilter::source
