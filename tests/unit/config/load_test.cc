#include "config/load.h"

#include <gtest/gtest.h>

#include <fstream>

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

TEST(Load, Assets) {
  const Loaded loaded = load_text(
      "[assets]\nroot = '/srv/assets/'\nmax_bytes = '1K'\n[defaults]\nassets = 'a/b'\n"
      "[[rule]]\nassets = '/srv/c'\ntemplates = true\n[[rule]]\nassets = ''\n",
      "t.toml");
  ASSERT_TRUE(loaded.ok()) << loaded.problems[0].text();
  EXPECT_EQ(loaded.settings.assets.root, "/srv/assets/");
  EXPECT_EQ(loaded.settings.assets.max_bytes, 1024u);
  EXPECT_EQ(loaded.settings.defaults.assets, "a/b");
  EXPECT_EQ(loaded.settings.rules[0].policy.assets, "/srv/c");
  EXPECT_TRUE(loaded.settings.rules[0].policy.templates);
  EXPECT_EQ(loaded.settings.rules[1].policy.assets, "");
  EXPECT_TRUE(load_text("[assets]\nroot = ''\n", "t.toml").ok());
  for (const char* root : {"srv", "/", "/a/../b", "/a/./b", "/a//b", "//a", "../a"})
    EXPECT_EQ(problems("[assets]\nroot = '" + std::string(root) + "'\n").size(), 1u) << root;
  for (const char* folder : {".", "..", "../a", "a/..", "a/", "a//b", "./a", "/", "/a/.."})
    EXPECT_EQ(problems("[defaults]\nassets = '" + std::string(folder) + "'\n").size(), 1u) << folder;
  EXPECT_EQ(problems("[assets]\nmax_bytes = '0'\n").size(), 1u);
  EXPECT_EQ(problems("[assets]\nmax_bytes = 5\n").size(), 1u);
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
  EXPECT_EQ(problems("milter = 1\n")[0], "t.toml:1:10: milter: a table is expected");
}

TEST(Load, ResizeIsWhatTheKeySays) {
  const auto plan = [](const std::string& keys) {
    const Loaded loaded = load_text("[[rule]]\n[[rule.image]]\n" + keys, "t.toml");
    return loaded.ok() ? loaded.settings.rules[0].images[0].plan : ImagePlan{};
  };
  EXPECT_EQ(plan("width = 9\n").resize, Resize::fit);
  EXPECT_EQ(plan("height = 9\nresize = 'force'\n").resize, Resize::force);
  EXPECT_EQ(plan("quality = 9\n").resize, Resize::none);
  const ImagePlan none = plan("width = 9\nheight = 9\nresize = 'none'\n");
  EXPECT_EQ(none.resize, Resize::none);
  EXPECT_EQ(none.width + none.height, 0u);
}

TEST(Load, FileThatIsNotThere) {
  const Loaded loaded = load_file("/nonexistent/pixmilter.toml");
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].text(),
            "/nonexistent/pixmilter.toml: cannot be read: No such file or directory");
  EXPECT_FALSE(load_file("/").ok());
  EXPECT_TRUE(load_file("/dev/null").ok());
}

TEST(Load, Rules) {
  const Loaded loaded = load_text(R"(
[defaults]
max_images = 7
on_fail = { default = "tempfail", timeout = "accept" }
[[rule]]
match = { from = ["*@a", "regexp:/^b@/"], size = ">1M", header = { "X-A" = "*", "X-B" = ["1", "2"] }, local = true }
unless = { ip = ["10.0.0.0/8", "::1"] }
action = "reject"
reply = "5.7.1 no"
sources = ["data"]
  [[rule.image]]
  match = { type = "image/tiff", width = [">300", "<=10"], attachment = true }
  format = "jpeg"
  width = 100
[[rule]]
name = "second"
mode = "audit"
)",
                                  "t.toml");
  ASSERT_TRUE(loaded.ok()) << loaded.problems[0].text();
  ASSERT_EQ(loaded.settings.rules.size(), 2u);
  const Rule& rule = loaded.settings.rules[0];
  EXPECT_EQ(rule.name, "rule 1");
  EXPECT_EQ(rule.line, 5u);
  EXPECT_EQ(rule.action, MessageAction::reject);
  EXPECT_EQ(rule.conditions.match.size(), 5u);
  EXPECT_EQ(rule.policy.max_images, 7u);
  EXPECT_EQ(rule.policy.on_fail[static_cast<std::size_t>(Failure::limit)], OnFail::tempfail);
  EXPECT_EQ(rule.policy.on_fail[static_cast<std::size_t>(Failure::timeout)], OnFail::accept);
  EXPECT_TRUE(rule.policy.sources.data);
  EXPECT_FALSE(rule.policy.sources.part);
  ASSERT_EQ(rule.images.size(), 1u);
  EXPECT_EQ(rule.images[0].plan.action, ImageAction::convert);
  EXPECT_EQ(rule.images[0].plan.resize, Resize::fit);
  EXPECT_EQ(loaded.settings.rules[1].mode, Mode::audit);
}

TEST(Load, RuleProblemsHaveTheirPlaces) {
  const std::vector<std::string> expected = {
      "t.toml:2:17: rule[1].match.ip: an address or a block such as \"192.0.2.0/24\" or \"2001:db8::/32\" is "
      "expected",
      "t.toml:3:12: rule[1].unless.form: unknown key; did you mean \"from\"?",
      "t.toml:4:10: rule[1].action: one of \"rewrite\", \"skip\", \"reject\", \"tempfail\", \"quarantine\" "
      "is expected",
      "t.toml:6:19: rule[1].image[1].match.width: a comparison such as \">300\", \"<=1.5\" or \"640\" is "
      "expected",
      "t.toml:7:11: rule[1].image[1].quality: an integer from 1 to 100 is expected",
  };
  EXPECT_EQ(
      problems("[[rule]]\nmatch = { ip = [\"10.0.0.0/99\"] }\nunless = { form = \"x\" }\naction = \"drop\"\n"
               "[[rule.image]]\nmatch = { width = \">x\" }\nquality = 0\n"),
      expected);
  EXPECT_EQ(problems("[[rule]]\nmatch = { from = \"regexp:/(/\" }\n").size(), 1u);
}

TEST(Pattern, GlobsAndExpressions) {
  const auto matches = [](const char* pattern, const char* text) {
    return Pattern::parse(pattern)->matches(text);
  };
  EXPECT_TRUE(matches("*@Example.org", "joe@EXAMPLE.ORG"));
  EXPECT_FALSE(matches("*@example.org", "joe@example.org.evil"));
  EXPECT_TRUE(matches("a?c*", "abcdef"));
  EXPECT_FALSE(matches("a?c", "ac"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("**a**b", "xaxb"));
  EXPECT_TRUE(matches("regexp:/^re: .*[0-9]$/", "RE: number 9"));
  EXPECT_FALSE(matches("/nonexistent.map", "x"));
}

TEST(Net, Blocks) {
  const auto contains = [](const char* net, const char* address) {
    return Net::parse(net)->contains(address);
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.1.2"));
  EXPECT_TRUE(contains("10.0.0.0/8", "IPv6:::ffff:10.1.2.3"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.100"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("::/0", "2001:db8::1"));
  EXPECT_FALSE(contains("::1", "unknown"));
  for (const char* bad : {"10.0.0.0/33", "10.0.0", "::/129", "x", "10.0.0.0/-1", "10.0.0.0/"})
    EXPECT_FALSE(Net::parse(bad)) << bad;
}

TEST(Net, ManyBlocks) {
  NetSet nets;
  EXPECT_FALSE(nets.contains("10.0.0.1"));
  for (const char* net : {"10.1.2.3/8", "192.0.2.128/25", "192.0.2.7", "2001:db8::/33", "::/0"})
    nets.insert(*Net::parse(net));
  for (const char* in :
       {"10.255.1.2", "IPv6:::ffff:10.1.2.3", "192.0.2.200", "192.0.2.7", "2001:db8:7fff::1", "::1"})
    EXPECT_TRUE(nets.contains(in)) << in;
  for (const char* out : {"11.0.0.1", "192.0.2.100", "192.0.2.8", "unknown", ""})
    EXPECT_FALSE(nets.contains(out)) << out;
}

TEST(MapFile, AddressesAndBlocks) {
  const std::string path = testing::TempDir() + "/nets.map";
  std::ofstream(path)
      << "# ours\n10.0.0.0/8 # all of it\n192.0.2.7\n2001:DB8::/32\n198.51.100.*\n10.0.0.0/33\n";
  const Pattern pattern = *Pattern::parse(path);
  for (const char* in : {"10.2.2.2", "192.0.2.7", "2001:db8:0:1::1", "198.51.100.9", "IPv6:2001:db8::1"})
    EXPECT_TRUE(pattern.matches_address(in)) << in;
  for (const char* out : {"11.0.0.1", "192.0.2.70", "2001:db9::1", "x", ""})
    EXPECT_FALSE(pattern.matches_address(out)) << out;
  // Where a text is asked for, a block is a text.
  EXPECT_FALSE(pattern.matches("10.2.2.2"));
  EXPECT_TRUE(pattern.matches("10.0.0.0/8"));
  EXPECT_EQ(pattern.map_file()->no_address().number, 6u);
  EXPECT_EQ(pattern.map_file()->no_address().text, "10.0.0.0/33");
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
