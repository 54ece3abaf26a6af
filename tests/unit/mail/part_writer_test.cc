#include "mail/part_writer.h"

#include <gtest/gtest.h>

namespace pixmilter::mail {
namespace {

TEST(PartWriter, PlainParameterIsQuoted) {
  EXPECT_EQ(structured_value("image/png", {{"name", "a \"b\"\\.png"}}, 14),
            "image/png; name=\"a \\\"b\\\"\\\\.png\"");
}

TEST(PartWriter, LongValuesAreFolded) {
  const std::string value = structured_value("image/png", {{"name", std::string(60, 'a')}}, 14);
  EXPECT_EQ(value, "image/png;\n name=\"" + std::string(60, 'a') + "\"");
}

TEST(PartWriter, OtherScriptsFollowRfc2231) {
  EXPECT_EQ(structured_value("inline", {{"filename", "\xC3\xBC\xE2\x82\xAC.png"}}, 21),
            "inline; filename*=UTF-8''%C3%BC%E2%82%AC.png");
  std::string name;
  for (int i = 0; i < 30; ++i) name += "\xE2\x82\xAC";
  const std::string value = structured_value("inline", {{"filename", name}}, 21);
  EXPECT_NE(value.find("filename*0*=UTF-8''%E2%82%AC"), std::string::npos);
  EXPECT_NE(value.find("filename*1*="), std::string::npos);
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t end = std::min(value.find('\n', at), value.size());
    EXPECT_LE(end - at, 78u);
    at = end + 1;
  }
}

TEST(PartWriter, ImagePartHeader) {
  EXPECT_EQ(image_part_header({"image/png", "image-1.png", "id@pixmilter"}, "\n"),
            "Content-Type: image/png; name=\"image-1.png\"\n"
            "Content-Transfer-Encoding: base64\n"
            "Content-Disposition: inline; filename=\"image-1.png\"\n"
            "Content-ID: <id@pixmilter>\n"
            "\n");
}

}  // namespace
}  // namespace pixmilter::mail
