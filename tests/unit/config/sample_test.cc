// conf/pixmilter.toml is what administrators read first: it has to name every key, each at its default, and
// nothing else.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "config/load.h"

namespace pixmilter::config {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string replaced(const std::string& text, const char* pattern, const char* with) {
  return std::regex_replace(text, std::regex(pattern, std::regex::multiline), with);
}

const char* const kSample = "conf/pixmilter.toml";
const char* const kCommentedKey = "^#([a-z_]+ *= )";

TEST(Sample, IsTheDefaultsAsItStands) {
  const Loaded loaded = load_text(read(kSample), kSample);
  ASSERT_TRUE(loaded.ok()) << loaded.problems[0].text();
  EXPECT_EQ(loaded.settings, Settings{});
}

TEST(Sample, NamesEachKeyAtItsDefault) {
  const std::string text = replaced(read(kSample), kCommentedKey, "$1");
  ASSERT_NE(text, read(kSample));
  const Loaded loaded = load_text(text, kSample);
  ASSERT_TRUE(loaded.ok()) << loaded.problems[0].text();
  EXPECT_EQ(loaded.settings, Settings{});
}

TEST(Sample, NamesEveryKeyThatIsRead) {
  const std::string sample = read(kSample);
  const std::string reader = read("src/config/load.cc") + read("src/config/load_rules.cc");
  const std::regex key(R"rx([a-z]\.[a-z_]+(?:<[A-Za-z]+>)?\(\s*"([a-z_]+)", (?:settings|policy)\.)rx");
  int count = 0;
  for (std::sregex_iterator found(reader.begin(), reader.end(), key), end; found != end; ++found, ++count) {
    EXPECT_NE(sample.find("\n#" + (*found)[1].str() + " = "), std::string::npos)
        << (*found)[1] << " is not in the sample";
  }
  EXPECT_GE(count, 16);
}

}  // namespace
}  // namespace pixmilter::config
