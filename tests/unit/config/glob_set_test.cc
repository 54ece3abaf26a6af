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

}  // namespace
}  // namespace pixmilter::config
