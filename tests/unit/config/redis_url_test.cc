#include "config/redis_url.h"

#include <gtest/gtest.h>

namespace pixmilter::config {
namespace {

TEST(RedisUrl, Tcp) {
  const auto plain = parse_redis_url("redis://cache.example.org");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->host, "cache.example.org");
  EXPECT_EQ(plain->port, 6379);
  EXPECT_EQ(plain->database, 0u);
  EXPECT_EQ(plain->text(), "cache.example.org:6379");
  const auto full = parse_redis_url("REDIS://mail:p%40ss%2Fw@10.0.0.1:7000/3");
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->user, "mail");
  EXPECT_EQ(full->password, "p@ss/w");
  EXPECT_EQ(full->host, "10.0.0.1");
  EXPECT_EQ(full->port, 7000);
  EXPECT_EQ(full->database, 3u);
  EXPECT_EQ(full->text().find("p@ss"), std::string::npos);
  const auto six = parse_redis_url("redis://:secret@[::1]:6380/");
  ASSERT_TRUE(six.ok());
  EXPECT_EQ(six->user, "");
  EXPECT_EQ(six->password, "secret");
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->text(), "[::1]:6380");
}

TEST(RedisUrl, UnixSocket) {
  const auto plain = parse_redis_url("unix:///run/redis/redis.sock");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->path, "/run/redis/redis.sock");
  EXPECT_EQ(plain->text(), "unix:/run/redis/redis.sock");
  const auto full = parse_redis_url("unix://:s%3Aecret@/run/a@b.sock?db=2");
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->path, "/run/a@b.sock");
  EXPECT_EQ(full->password, "s:ecret");
  EXPECT_EQ(full->database, 2u);
}

TEST(RedisUrl, Others) {
  for (const char* text : {"",
                           "localhost",
                           "localhost:6379",
                           "http://localhost",
                           "redis://",
                           "redis://:6379",
                           "redis://h:0",
                           "redis://h:65536",
                           "redis://h:",
                           "redis://h:x",
                           "redis://h/x",
                           "redis://h/-1",
                           "redis://h/1/2",
                           "redis://h/70000",
                           "redis://pw@h",
                           "redis://:@h",
                           "redis://:%zz@h",
                           "redis://:%4@h",
                           "redis://:%00@h",
                           "redis://[::1",
                           "redis://[::1]x",
                           "redis://[h]",
                           "redis://::1",
                           "redis://h h",
                           "rediss://h",
                           "redis://h\n",
                           "unix://",
                           "unix://relative",
                           "unix:///a?db=",
                           "unix:///a?x=1",
                           "unix:/a"})
    EXPECT_FALSE(parse_redis_url(text).ok()) << text;
  EXPECT_FALSE(parse_redis_url("unix:///" + std::string(107, 'a')).ok());
  EXPECT_NE(parse_redis_url("rediss://h").error().text.find("TLS"), std::string::npos);
}

}  // namespace
}  // namespace pixmilter::config
