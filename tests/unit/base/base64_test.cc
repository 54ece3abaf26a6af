#include "base/base64.h"

#include <gtest/gtest.h>

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

TEST(Base64, LinesHave76ColumnsAndEndInEol) {
  EXPECT_EQ(lines(""), "");
  EXPECT_EQ(lines(std::string(57, 'x')).size(), 78u);
  EXPECT_EQ(lines(std::string(58, 'x'), "\n").size(), 77u + 5u);
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
