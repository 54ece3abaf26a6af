#include "base/base64.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/ascii.h"
#include "base/base64_blocks.h"

namespace pixmilter::base64 {
namespace {

std::string lines(std::string_view bytes, std::string_view eol = "\r\n") {
  std::string out;
  encode_lines(bytes, eol, out);
  return out;
}

TEST(Base64, Rfc4648Vectors) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    std::string out;
    encode(plain, out);
    EXPECT_EQ(out, coded);
    EXPECT_EQ(decode_lenient(coded), plain);
    EXPECT_EQ(decode_forgiving(coded), plain);
  }
}

TEST(Base64, ComparesWithoutDecodingWhole) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 9000, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    std::string text = lines(bytes, round % 2 ? "\n" : "\r\n");
    if (round % 3 == 0 && text.size() > 2) text.resize(text.size() - 2);
    if (round % 5 == 0 && !text.empty()) text[random() % text.size()] = "A\n =+"[random() % 5];
    if (round % 7 == 0) bytes += 'x';
    ASSERT_EQ(decodes_to(text, bytes), decode_lenient(text) == bytes) << round;
  }
}

TEST(Base64, LinesHave76ColumnsAndEndInEol) {
  EXPECT_EQ(lines(""), "");
  EXPECT_EQ(lines(std::string(57, 'x')).size(), 78u);
  EXPECT_EQ(lines(std::string(58, 'x'), "\n").size(), 77u + 5u);
}

// One sextet after the other, by the words of RFC 4648.
std::string encoded_slowly(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 6) {
    unsigned sextet = 0;
    for (std::size_t i = bit; i < bit + 6; ++i)
      sextet = sextet << 1 |
               (i / 8 < bytes.size() ? static_cast<unsigned char>(bytes[i / 8]) >> (7 - i % 8) & 1u : 0u);
    out.push_back(kDigits[sextet]);
  }
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

// Every character that is a digit counts, every other is passed over; "=" ends a group.
std::string decoded_slowly(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') count = 0;
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) continue;
    bits = bits << 6 | static_cast<unsigned>(digit);
    // The first byte of a group is complete with its second digit.
    if (count > 0) out.push_back(static_cast<char>(bits >> (6 - 2 * count)));
    count = (count + 1) % 4;
  }
  return out;
}

TEST(Base64, BlocksGiveWhatSextetsGive) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 700, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string slow = encoded_slowly(bytes);
    std::string fast;
    encode(bytes, fast);
    ASSERT_EQ(fast, slow);
    std::string unbroken;
    for (const char c : lines(bytes)) {
      if (c != '\r' && c != '\n') unbroken.push_back(c);
    }
    ASSERT_EQ(unbroken, slow);
    ASSERT_EQ(decode_lenient(slow), bytes);
    ASSERT_EQ(decode_forgiving(slow), bytes);
  }
}

TEST(Base64, BlocksStopAtWhateverIsNoDigit) {
  std::mt19937 random(2);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t i = 0; i < random() % 9000; ++i)
      text.push_back("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random() % 64]);
    for (std::size_t i = 0; i < random() % 5 && !text.empty(); ++i)
      text[random() % text.size()] = static_cast<char>(random());
    ASSERT_EQ(decode_lenient(text), decoded_slowly(text));
    std::string room(most_decoded(text.size()) + 1, '#');
    const std::size_t written = decode_lenient(text, room.data());
    ASSERT_EQ(room.substr(0, written), decode_lenient(text));
    ASSERT_EQ(room.back(), '#');
    std::string lowered = text;
    std::replace(lowered.begin(), lowered.end(), '+', '-');
    std::replace(lowered.begin(), lowered.end(), '/', '_');
    if (const auto forgiven = decode_forgiving(text)) {
      ASSERT_EQ(decode_forgiving(lowered), forgiven);
    }
  }
}

// Beyond a block the functions for blocks do nothing, and what they do ends where they say.
TEST(Base64, EveryByteValueStopsABlockOrIsADigit) {
  if (!has_blocks()) GTEST_SKIP() << "no AVX2";
  for (int value = 0; value < 256; ++value)
    for (std::size_t place = 0; place < 32; ++place) {
      std::string text(64, 'A');
      text[32 + place] = static_cast<char>(value);
      char out[48 + kBlockSlack];
      const bool digit =
          value != 0 && std::string_view("+/").find(static_cast<char>(value)) != std::string_view::npos;
      const bool letter = ascii::is_alnum(static_cast<char>(value));
      ASSERT_EQ(decode_blocks(text.data(), text.size(), out), digit || letter ? 64u : 32u) << value;
    }
}

TEST(Base64, RoundTripOfEveryLengthAndByte) {
  std::string bytes;
  for (int i = 0; i < 700; ++i) {
    EXPECT_EQ(decode_lenient(lines(bytes)), bytes) << i;
    EXPECT_EQ(decode_forgiving(lines(bytes, "\n")), bytes) << i;
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(Base64, LenientPassesOverJunkAndGoesOnAfterPadding) {
  EXPECT_EQ(decode_lenient("Z!m\x80"
                           "9v\r\n Y==mFy"),
            "foo\x98\x5c");
  EXPECT_EQ(decode_lenient("Zg==Zg=="), "ff");
  EXPECT_EQ(decode_lenient("Z"), "");
}

TEST(Base64, ForgivingTakesWhatBrowsersTake) {
  EXPECT_EQ(decode_forgiving(" Z g\t="), "f");
  EXPECT_EQ(decode_forgiving("Zg"), "f");
  EXPECT_EQ(decode_forgiving("-_8="), "\xfb\xff");
  EXPECT_EQ(decode_forgiving("Z"), std::nullopt);
  EXPECT_EQ(decode_forgiving("Zg==="), std::nullopt);
  EXPECT_EQ(decode_forgiving("Zm9v="), std::nullopt);
  EXPECT_EQ(decode_forgiving("Zg==Zg=="), std::nullopt);
  EXPECT_EQ(decode_forgiving("Z%67"), std::nullopt);
}

}  // namespace
}  // namespace pixmilter::base64
