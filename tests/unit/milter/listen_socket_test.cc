#include "milter/listen_socket.h"

#include <gtest/gtest.h>

namespace pixmilter::milter {
namespace {

TEST(SocketSpec, Forms) {
  const auto unix_path = parse_socket_spec("unix:/run/x y:z.sock");
  ASSERT_TRUE(unix_path);
  EXPECT_EQ(unix_path->kind, SocketSpec::Kind::unix_path);
  EXPECT_EQ(unix_path->path, "/run/x y:z.sock");
  EXPECT_EQ(parse_socket_spec("local:/x")->kind, SocketSpec::Kind::unix_path);

  const auto inet = parse_socket_spec("inet:8894@127.0.0.1");
  ASSERT_TRUE(inet);
  EXPECT_EQ(inet->kind, SocketSpec::Kind::inet);
  EXPECT_EQ(inet->host, "127.0.0.1");
  EXPECT_EQ(inet->port, 8894);

  const auto inet6 = parse_socket_spec("INET6:1@[::1]");
  ASSERT_TRUE(inet6);
  EXPECT_EQ(inet6->kind, SocketSpec::Kind::inet6);
  EXPECT_EQ(inet6->host, "::1");

  const auto fd = parse_socket_spec("fd:3");
  ASSERT_TRUE(fd);
  EXPECT_EQ(fd->kind, SocketSpec::Kind::descriptor);
  EXPECT_EQ(fd->fd, 3);
}

TEST(SocketSpec, ErrorsNameTheCause) {
  for (const char* text : {"", "/run/x", "unix", "unix:", "tcp:1@x", "inet:", "inet:1", "inet:1@", "inet:@x",
                           "inet:x@y", "inet:65536@y", "inet:-1@y", "inet: 1@y", "inet:1x@y", "fd:", "fd:-1",
                           "fd:x", "fd:3x", "fd:99999999999"}) {
    const auto spec = parse_socket_spec(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_TRUE(spec.error().text.starts_with("socket " + std::string(text) + ": ")) << spec.error().text;
  }
}

}  // namespace
}  // namespace pixmilter::milter
