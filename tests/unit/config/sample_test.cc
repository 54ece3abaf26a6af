// conf/pixmilter.toml is what administrators read first: it has to name every key, each at its default, and
// nothing else. The manual likewise.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
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

// Every key that a reader of src/config asks its table for, in whatever way.
std::set<std::string> keys_of_code() {
  std::set<std::string> keys = {"match", "unless"};  // of both sorts of rules, by one function
  for (const auto& entry : std::filesystem::directory_iterator("src/config")) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("load") || !name.ends_with(".cc")) continue;
    const std::string reader = read(entry.path().string());
    const std::regex call(
        R"rx([a-z_]\.(?:string|boolean|number|real|duration|size|choice|read|find|table|tables)(?:<[A-Za-z_:]+>)?\(\s*"([a-z_]+)")rx");
    for (std::sregex_iterator found(reader.begin(), reader.end(), call), end; found != end; ++found)
      keys.insert((*found)[1]);
  }
  for (int i = 0; i <= static_cast<int>(Key::attachment); ++i)
    keys.insert(std::string(name(static_cast<Key>(i))));
  for (std::size_t i = 0; i < kFailures; ++i) keys.insert(std::string(name(static_cast<Failure>(i))));
  return keys;
}

std::set<std::string> found_in(const std::string& text, const char* pattern) {
  std::set<std::string> out;
  const std::regex expression(pattern, std::regex::multiline);
  for (std::sregex_iterator found(text.begin(), text.end(), expression), end; found != end; ++found)
    out.insert((*found)[1]);
  return out;
}

// Tables and what is read by a function of its own: the code asks for them by these names, too.
const std::set<std::string> kTables = {"milter",  "render",   "assets", "fetch", "cache",
                                       "metrics", "defaults", "rule",   "image"};

TEST(Sample, NamesEveryKeyThatIsRead) {
  const std::string sample = read(kSample);
  const std::set<std::string> in_sample = found_in(sample, R"rx(^#\s*([a-z_]+)\s*= )rx");
  const std::set<std::string> code = keys_of_code();
  EXPECT_GE(code.size(), 60u);
  const std::set<std::string> conditions = found_in(read("src/config/condition.h"), R"rx(^  ([a-z_]+),)rx");
  for (const std::string& key : code) {
    if (kTables.contains(key)) {
      EXPECT_TRUE(sample.find("[" + key + "]") != std::string::npos ||
                  sample.find("." + key + "]") != std::string::npos)
          << key;
      continue;
    }
    if (conditions.contains(key) || key == "default") continue;  // one of each sort is shown
    const bool named = in_sample.contains(key) || sample.find(key) != std::string::npos;
    EXPECT_TRUE(named) << key << " is not in the sample";
  }
  for (const std::string& key : in_sample)
    EXPECT_TRUE(code.contains(key)) << key << " is in the sample, but no key";
}

TEST(Manual, HasAnItemForEachKeyAndForNothingElse) {
  const std::set<std::string> items = found_in(read("man/pixmilter.toml.5"), R"rx(^\.It Cm ([a-z_]+)$)rx");
  const std::set<std::string> code = keys_of_code();
  const std::set<std::string> values = {
      "rewrite", "skip",    "reject", "tempfail", "quarantine",  // of action
      "embed",   "convert", "keep",   "drop",     "placeholder"};
  for (const std::string& key : code)
    EXPECT_TRUE(kTables.contains(key) || items.contains(key)) << key << " is not in the manual";
  for (const std::string& item : items)
    EXPECT_TRUE(code.contains(item) || values.contains(item)) << item << " is in the manual, but no key";
}

}  // namespace
}  // namespace pixmilter::config
