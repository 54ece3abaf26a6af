#include "base/quoted_printable.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace pixmilter::quoted_printable {
namespace {

TEST(QuotedPrintable, Decodes) {
  EXPECT_EQ(decode("a=3Db"), "a=b");
  EXPECT_EQ(decode("a=\r\nb"), "ab");
  EXPECT_EQ(decode("a= \t\nb"), "ab");
  EXPECT_EQ(decode("a \t\r\nb"), "a\r\nb");
  EXPECT_EQ(decode("a=20\nb"), "a \nb");
  EXPECT_EQ(decode("=C3=a4="), "\xC3\xA4");
  EXPECT_EQ(decode("a=XYb=4"), "a=XYb=4");
  EXPECT_EQ(decode("=\n=\n="), "");
  EXPECT_EQ(decode("a=\rb"), "a=\rb");
  EXPECT_EQ(decode(""), "");
  EXPECT_EQ(decode("x  "), "x");
}

// Short texts, in which everything stands beside everything, and long ones, whose runs are.
TEST(QuotedPrintable, AGlanceSeesWhatDecodingGives) {
  std::mt19937 random(1);
  const auto piece = [&]() -> std::string {
    switch (random() % 12) {
      case 0:
        return "=3D";
      case 1:
        return "=\r\n";
      case 2:
        return random() % 2 == 0 ? "=\n" : "= \t\r\n";
      case 3:
        return random() % 2 == 0 ? "\r\n" : "\n";
      case 4:
        return random() % 8 == 0 ? " " : "=20";
      case 5:
        return random() % 2 == 0 ? "=" : "=4";
      case 6:
        return random() % 8 == 0 ? "\t" : "\r";
      default:
        return std::string(random() % (random() % 4 == 0 ? 200 : 9), static_cast<char>('a' + random() % 26));
    }
  };
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::size_t left = random() % 40; left > 0; --left) text += piece();
    ASSERT_EQ(Glance(text).decoded(), decode(text)) << testing::PrintToString(text);
  }
}

TEST(QuotedPrintable, EncodesRunsWithin76Columns) {
  std::string out;
  encode_run(std::string(200, 'x'), "\r\n", 0, out);
  EXPECT_EQ(out, std::string(75, 'x') + "=\r\n" + std::string(75, 'x') + "=\r\n" + std::string(50, 'x'));
  EXPECT_EQ(decode(out), std::string(200, 'x'));
}

TEST(QuotedPrintable, TextRoundTrip) {
  const std::string text = "caf\xC3\xA9 = 1 \r\n\ttab\t\r\n\r\n" + std::string(100, '=') + "\r\nlast";
  std::string out;
  encode_text(text, "\r\n", out);
  EXPECT_EQ(decode(out), text);
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t end = out.find("\r\n", at);
    EXPECT_LE((end == std::string::npos ? out.size() : end) - at, 76u);
    at = end == std::string::npos ? out.size() : end + 2;
  }
}

TEST(QuotedPrintable, MapsEveryDecodedByteToItsSource) {
  const std::string source = "ab=3Dcd=\r\nef \r\ng=41=42";
  const Mapped mapped(source);
  EXPECT_EQ(mapped.decoded(), "ab=cdef\r\ngAB");
  const std::size_t expected[] = {0, 1, 2, 5, 6, 10, 11, 13, 14, 15, 16, 19, 22};
  for (std::size_t i = 0; i < std::size(expected); ++i) EXPECT_EQ(mapped.encoded_offset(i), expected[i]) << i;
}

}  // namespace
}  // namespace pixmilter::quoted_printable
