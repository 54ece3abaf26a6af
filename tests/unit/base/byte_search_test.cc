#include "base/byte_search.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/ascii.h"

namespace pixmilter {
namespace {

// Short enough that each place in a block of sixteen and each rest behind it comes up.
TEST(ByteSearch, FindsWhatALoopFinds) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 150, 'x');
    for (char& c : text)
      if (random() % 20 == 0) c = "=\n:sSvVgG"[random() % 9];
    const std::size_t from = random() % (text.size() + 1);
    const auto expected = [&](const char* bytes) {
      return std::min(text.find_first_of(bytes, from), text.size());
    };
    ASSERT_EQ(find_either(text, from, '=', '\n'), expected("=\n")) << text;
    ASSERT_EQ(find_any(text, from, '=', '\n', ':'), expected("=\n:")) << text;
    ASSERT_EQ(find_pair(text, from, 's', 'S'), std::min(text.find("sS", from), text.size())) << text;
    ASSERT_EQ(find_pair(text, from, 'x', 'v'), std::min(text.find("xv", from), text.size())) << text;
    const auto word = [&](const char* wanted) {
      const std::size_t at = ascii::ifind(text, wanted, from);
      return at == std::string::npos ? text.size() : at;
    };
    ASSERT_EQ(find_word(text, from, "svg"), word("svg")) << text;
    ASSERT_EQ(find_word(text, from, "=svg"), word("=svg")) << text;
    const auto stands = [&](const char* wanted) { return ascii::ifind(text, wanted) != std::string::npos; };
    ASSERT_EQ(contains_one_of(text, "=svg", "xvxx", "xxggx"),
              stands("=svg") || stands("xvxx") || stands("xxggx"))
        << text;
  }
}

TEST(ByteSearch, KnowsBlanksBeforeLineEnds) {
  std::mt19937 random(1);
  int found = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 150, 'x');
    for (char& c : text)
      if (random() % 40 == 0) c = " \t\r\n"[random() % 4];
    bool expected = false;
    for (const char* pair : {" \r", " \n", "\t\r", "\t\n"}) expected |= text.find(pair) != std::string::npos;
    ASSERT_EQ(has_blank_before_line_end(text), expected) << testing::PrintToString(text);
    found += expected;
  }
  EXPECT_GT(found, 100);
}

TEST(ByteSearch, KnowsWhatIsAscii) {
  for (std::size_t size = 0; size < 200; ++size) {
    std::string text(size, '\x7F');
    ASSERT_TRUE(is_ascii(text)) << size;
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\x80';
      ASSERT_FALSE(is_ascii(text)) << at << " of " << size;
      text[at] = '\0';
    }
  }
}

TEST(ByteSearch, KnowsLinesThatEndInCrlf) {
  std::mt19937 random(1);
  int whole = 0;
  for (int round = 0; round < 40'000; ++round) {
    std::string text;
    while (random() % 20 != 0) text.append(random() % 90, 'x').append("\r\n");
    if (random() % 2 == 0 && !text.empty())
      text[random() % text.size()] = std::string_view("\r\n\0\tx", 5)[random() % 5];
    if (random() % 8 == 0) text += '\r';
    bool expected = text.find('\0') == std::string::npos;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') expected = expected && i > 0 && text[i - 1] == '\r';
      if (text[i] == '\r') expected = expected && i + 1 < text.size() && text[i + 1] == '\n';
    }
    ASSERT_EQ(has_only_crlf_lines(text), expected) << testing::PrintToString(text);
    whole += expected;
  }
  EXPECT_GT(whole, 1000);
}

}  // namespace
}  // namespace pixmilter
