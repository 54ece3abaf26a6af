#include "config/load.h"

#include <gtest/gtest.h>

#include "config/units.h"

namespace pixmilter::config {
namespace {

std::vector<std::string> problems(std::string_view text) {
  std::vector<std::string> out;
  for (const Problem& problem : load_text(text, "t.toml").problems) out.push_back(problem.text());
  return out;
}

TEST(Load, EveryKey) {
  const Loaded loaded = load_text(R"(
mode = "audit"
[milter]
socket = "inet:8025@127.0.0.1"
socket_mode = "0600"
socket_group = "mail"
deadline = "5s"
[render]
workers = 3
timeout = "250ms"
memory = "1G"
max_pixels = 1_000
max_frames = 2
)",
                                  "t.toml");
  ASSERT_TRUE(loaded.ok()) << loaded.problems[0].text();
  EXPECT_EQ(loaded.settings.mode, Mode::audit);
  EXPECT_EQ(loaded.settings.milter.socket, "inet:8025@127.0.0.1");
  EXPECT_EQ(loaded.settings.milter.socket_mode, 0600u);
  EXPECT_EQ(loaded.settings.milter.socket_group, "mail");
  EXPECT_EQ(loaded.settings.milter.deadline.count(), 5000);
  EXPECT_EQ(loaded.settings.render.workers, 3u);
  EXPECT_EQ(loaded.settings.render.timeout.count(), 250);
  EXPECT_EQ(loaded.settings.render.memory, 1u << 30);
  EXPECT_EQ(loaded.settings.render.max_pixels, 1000u);
  EXPECT_EQ(loaded.settings.render.max_frames, 2u);
}

TEST(Load, NothingIsTheDefaults) {
  const Loaded loaded = load_text("# nothing\n", "t.toml");
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.settings.render.memory, 512u << 20);
}

TEST(Load, EveryProblemHasItsPlace) {
  const std::vector<std::string> expected = {
      "t.toml:1:8: mode: one of \"enforce\", \"audit\", \"off\" is expected",
      "t.toml:2:1: colour: unknown key",
      "t.toml:4:1: milter.sockett: unknown key; did you mean \"socket\"?",
      "t.toml:5:12: milter.deadline: a duration such as \"30s\" is expected",
      "t.toml:7:11: render.workers: an integer from 0 to 1024 is expected",
      "t.toml:8:10: render.memory: a size such as \"500\", \"500K\", \"10M\" or \"1G\" is expected",
  };
  EXPECT_EQ(
      problems(
          "mode = \"on\"\ncolour = 1\n[milter]\nsockett = \"\"\ndeadline = 30\n[render]\nworkers = \"2\"\n"
          "memory = \"1Q\"\n"),
      expected);
}

TEST(Load, SyntaxErrorHasItsPlace) {
  const std::vector<std::string> found = problems("mode = \n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].rfind("t.toml:1:", 0), 0u) << found[0];
}

TEST(Load, TableWhereAValueStands) {
  EXPECT_EQ(problems("milter = 1\n")[0], "t.toml:1:10: milter: a table [milter] is expected");
}

TEST(Load, FileThatIsNotThere) {
  const Loaded loaded = load_file("/nonexistent/pixmilter.toml");
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].text(),
            "/nonexistent/pixmilter.toml: cannot be read: No such file or directory");
  EXPECT_FALSE(load_file("/").ok());
  EXPECT_TRUE(load_file("/dev/null").ok());
}

TEST(Units, Sizes) {
  EXPECT_EQ(*parse_size("0"), 0u);
  EXPECT_EQ(*parse_size("10k"), 10240u);
  EXPECT_EQ(*parse_size("2G"), 2ull << 30);
  for (const char* bad : {"", "K", "-1", "1.5M", "1MB", "99999999999999999999", "9999999999G"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Units, Durations) {
  EXPECT_EQ(parse_duration("5m")->count(), 300'000);
  for (const char* bad : {"", "5", "0s", "5h", "1500m", "s"}) EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Units, Sockets) {
  for (const char* good : {"unix:/run/x.sock", "inet:8025@127.0.0.1", "inet6:8025@::1", "fd:3"})
    EXPECT_TRUE(check_socket(good)) << good;
  for (const char* bad :
       {"", "/run/x", "unix:x", "inet:x@h", "inet:0@h", "inet:70000@h", "inet:25", "fd:", "fd:x"})
    EXPECT_FALSE(check_socket(bad)) << bad;
  EXPECT_FALSE(check_socket("unix:/" + std::string(200, 'x')));
}

}  // namespace
}  // namespace pixmilter::config
