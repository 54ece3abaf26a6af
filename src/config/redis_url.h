// Where a Redis server is, as [cache] redis says it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pixmilter::config {

struct RedisAddress {
  std::string path;  // of a unix socket; empty: TCP
  std::string host;  // a name or an address, without the brackets of IPv6
  std::uint16_t port = 6379;
  std::string user;      // empty: the server's default user
  std::string password;  // empty: no AUTH
  std::uint32_t database = 0;
  // Without the password, for the log.
  std::string text() const;
  bool operator==(const RedisAddress&) const = default;
};

// redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE] or unix://[[USER]:PASSWORD@]/PATH[?db=DATABASE], user and
// password percent-encoded where they hold other characters than a URL may.
Result<RedisAddress> parse_redis_url(std::string_view text);

}  // namespace pixmilter::config
