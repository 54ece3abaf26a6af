// Log lines: one line each whatever is in them, in both forms, and not too many of a kind.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/log_limit.h"
#include "base/log_line.h"

namespace pixmilter::log {
namespace {

using namespace std::chrono_literals;

TEST(LogLine, PlainValuesAreBare) {
  EXPECT_EQ(Fields().add("id", "4ABC").add("from", "<a@b.example>").add("n", 7).text(),
            "id=4ABC from=<a@b.example> n=7");
  EXPECT_EQ(log::quoted(""), "\"\"");
  EXPECT_EQ(log::quoted("two words"), "\"two words\"");
}

TEST(LogLine, NothingBreaksOutOfAValue) {
  EXPECT_EQ(log::quoted("a\" b=\"c\\"), R"("a\" b=\"c\\")");
  EXPECT_EQ(log::quoted("a\nid=FAKE did=x\r\x1b[2J"), R"("a\x0aid=FAKE did=x\x0d\x1b[2J")");
  EXPECT_EQ(log::quoted(std::string("a\0b", 3)), R"("a\x00b")");
  EXPECT_EQ(log::quoted("\xc3\xa9\x7f"), R"("\xc3\xa9\x7f")");
  EXPECT_EQ(log::quoted(std::string(1000, 'x')), "\"" + std::string(256, 'x') + "...\"");
}

TEST(LogLine, JsonIsJson) {
  for (const std::string& value :
       {std::string("plain"), std::string("a\"\\\n\0\x1b b", 8), std::string("Grüße €  𝄞"), std::string()}) {
    const auto parsed =
        nlohmann::json::parse("{" + Fields().add("id", "Q").add("v", value).add("n", 42).json() + "}");
    EXPECT_EQ(parsed["v"], value);
    EXPECT_EQ(parsed["n"], 42);
    EXPECT_EQ(parsed["id"], "Q");
  }
  EXPECT_TRUE(Fields().add("id", "Q").add("n", 1).json().starts_with("\"id\":\"Q\""));
}

TEST(LogLine, JsonOfWhatIsNoText) {
  EXPECT_EQ(json_string("a\xff\xc0\x80z"), "\"a\\ufffd\\ufffd\\ufffdz\"");
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
  EXPECT_EQ(json_string("\xe2\x82"), "\"\\ufffd\\ufffd\"");
  EXPECT_EQ(json_string("\xf5\x80\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
  EXPECT_EQ(json_string("\xe2\x80\xae"), "\"\\u202e\"");
  // Cut between two characters.
  std::string text(255, 'x');
  text += "€€";
  EXPECT_EQ(json_string(text), "\"" + std::string(255, 'x') + "...\"");
}

TEST(LogLimit, SaysHowManyMoreThereWere) {
  Limit limit;
  limit.set(3);
  const auto start = Clock::now();
  int written = 0;
  for (int i = 0; i < 50; ++i)
    written += limit.allows("worker " + std::to_string(i * 7) + " died", start + i * 1ms);
  EXPECT_EQ(written, 3);
  EXPECT_TRUE(limit.allows("something else", start));
  EXPECT_TRUE(limit.summaries(start + 59s).empty());
  EXPECT_LE(limit.next_summary(), start + 60s);
  const auto said = limit.summaries(start + 61s);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0], "47 more within a minute: worker 0 died");
  EXPECT_TRUE(limit.allows("worker 5 died", start + 62s));
  EXPECT_TRUE(limit.summaries(start + 200s).empty());
}

TEST(LogLimit, TheQueueIdMakesNoKind) {
  Limit limit;
  limit.set(1);
  const auto now = Clock::now();
  EXPECT_TRUE(limit.allows("id=4AbCdE error=x", now));
  EXPECT_FALSE(limit.allows("id=4XyZ error=x", now));
}

TEST(LogLimit, ZeroIsNoLimit) {
  Limit limit;
  limit.set(0);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limit.allows("same", Clock::now()));
}

TEST(LogLimit, KindsAreBounded) {
  Limit limit;
  limit.set(1);
  const auto now = Clock::now();
  for (int i = 0; i < 5000; ++i)
    EXPECT_TRUE(limit.allows(std::string(static_cast<std::size_t>(i), 'x'), now));
}

}  // namespace
}  // namespace pixmilter::log
