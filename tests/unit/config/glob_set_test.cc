#include "config/glob_set.h"

#include <gtest/gtest.h>

#include <random>

#include "config/pattern.h"

namespace pixmilter::config {
namespace {

// Filed away or tried one by one: the answer is the same.
TEST(GlobSet, AgreesWithTheGlobsOneByOne) {
  std::mt19937 dice(7);
  const auto word = [&](const char* letters, std::size_t longest) {
    std::string out;
    for (std::size_t n = dice() % (longest + 1); n > 0; --n) out += letters[dice() % 5];
    return out;
  };
  int matched = 0;
  for (int round = 0; round < 3000; ++round) {
    GlobSet set;
    std::vector<std::string> globs;
    for (int i = 0; i < 4; ++i) {
      globs.push_back(word("ab@*?", 6));
      set.insert(globs.back());
    }
    EXPECT_EQ(set.size(), 4u);
    const std::string text = word("ab@ab", 7);
    bool expected = false;
    for (const std::string& glob : globs) expected = expected || glob_matches(glob, text);
    EXPECT_EQ(set.matches(text), expected) << text;
    matched += expected;
  }
  EXPECT_GT(matched, 300);
  EXPECT_LT(matched, 2900);
}

// A question mark is a character, however many bytes it has; what is no UTF-8 has characters of a byte.
TEST(Glob, AQuestionMarkIsACharacter) {
  for (const char* one : {"a", "\u00FC", "\u20AC", "\U0001F600", "\xFC", "\x80"}) {
    EXPECT_TRUE(glob_matches("?", one)) << one;
    EXPECT_TRUE(glob_matches("x?y", "x" + std::string(one) + "y")) << one;
    EXPECT_TRUE(glob_matches("*?", one)) << one;
    EXPECT_TRUE(glob_matches("?*", one)) << one;
    for (const char* two : {"??", "*??", "??*", "?*?", "*?*?*"}) {
      EXPECT_FALSE(glob_matches(two, one)) << one << " " << two;
      EXPECT_TRUE(glob_matches(two, one + std::string("\u00FC"))) << one << " " << two;
    }
  }
  EXPECT_TRUE(glob_matches("*\u00FC?", "x\u00FC\u00FC"));
  EXPECT_TRUE(glob_matches("m?ller@*", "m\u00FCller@example.org"));
  EXPECT_TRUE(glob_matches("??",
                           "\xC3"
                           "a"));
  EXPECT_FALSE(glob_matches("?",
                            "\xC3"
                            "a"));
  EXPECT_TRUE(glob_matches("???",
                           "\xE2\x82"
                           "a"));
  EXPECT_FALSE(glob_matches("?", ""));
  GlobSet set;
  set.insert("?@x");
  set.insert("gr\u00F6?e");
  EXPECT_TRUE(set.matches("\u00FC@x"));
  EXPECT_FALSE(set.matches("\u00FC\u00FC@x"));
  EXPECT_TRUE(set.matches("gr\u00F6\u00DFe"));
}

}  // namespace
}  // namespace pixmilter::config
