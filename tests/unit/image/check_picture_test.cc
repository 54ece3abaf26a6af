// What a render worker returns is walked to its end before it goes into a mail.
#include "image/check_picture.h"

#include <gtest/gtest.h>

#include <string>

namespace pixmilter::image {
namespace {

using namespace std::string_literals;

std::string big32(std::uint32_t n) {
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
          static_cast<char>(n)};
}
std::string chunk(const std::string& type, const std::string& data) {
  return big32(static_cast<std::uint32_t>(data.size())) + type + data + "crc!";
}
std::string header(std::uint32_t width, std::uint32_t height, char depth = 8, char colour = 2) {
  return chunk("IHDR", big32(width) + big32(height) + depth + colour + "\0\0\0"s);
}
const std::string kSignature = "\x89PNG\r\n\x1a\n";
std::string png(const std::string& chunks) { return kSignature + chunks; }
const std::string kData = chunk("IDAT", "data");
const std::string kEnd = chunk("IEND", "");

std::string segment(char marker, const std::string& data) {
  const auto size = data.size() + 2;
  return "\xff"s + marker + static_cast<char>(size >> 8) + static_cast<char>(size) + data;
}
const std::string kStart = "\xff\xd8";
const std::string kStop = "\xff\xd9";
std::string frame(char components = 3, char precision = 8, char marker = '\xc0') {
  return segment(marker, precision + "\0\x20\0\x40"s + components +
                             std::string(3 * static_cast<std::size_t>(components), 'c'));
}
const std::string kScan = segment('\xda', "scan") + "\x01\xff\x00\x02\xff\xd3\x03"s;

std::string gif_image() {
  return ",\0\0\0\0\x05\0\x06\0\0"s +
         "\x08\x02"
         "ab\0"s;
}
const std::string kGif = "GIF89a\x05\0\x06\0\0\0\0"s;

TEST(CheckPictureTest, TakesWholePictures) {
  const auto a = check_picture(png(header(640, 480) + chunk("tEXt", "x") + kData + kData + kEnd));
  ASSERT_TRUE(a) << a.error().text;
  EXPECT_EQ(a->format, Format::png);
  EXPECT_EQ(a->width, 640U);
  EXPECT_EQ(a->height, 480U);
  EXPECT_EQ(a->frames, 1U);

  const auto b = check_picture(kStart + segment('\xe0', "JFIF") + "\xff" + frame() + kScan + kStop);
  ASSERT_TRUE(b) << b.error().text;
  EXPECT_EQ(b->format, Format::jpeg);
  EXPECT_EQ(b->width, 64U);
  EXPECT_EQ(b->height, 32U);
  EXPECT_TRUE(check_picture(kStart + frame(1, 8, '\xc2') + kScan + segment('\xc4', "table") + kScan + kStop));

  const auto c = check_picture(kGif +
                               "!\xf9\x04"
                               "aaaa\0"s +
                               gif_image() + gif_image() + ";");
  ASSERT_TRUE(c) << c.error().text;
  EXPECT_EQ(c->format, Format::gif);
  EXPECT_EQ(c->width, 5U);
  EXPECT_EQ(c->height, 6U);
  EXPECT_EQ(c->frames, 2U);
  EXPECT_TRUE(check_picture("GIF87a\x05\0\x06\0\x80\0\0"s + "rgbRGB" + gif_image() + ";"));
}

TEST(CheckPictureTest, RefusesEveryTruncationAndEveryTail) {
  const std::string pictures[] = {png(header(1, 1) + kData + kEnd), kStart + frame() + kScan + kStop,
                                  kGif + gif_image() + ";"};
  for (const auto& whole : pictures) {
    ASSERT_TRUE(check_picture(whole));
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(check_picture(whole.substr(0, size)));
    EXPECT_FALSE(check_picture(whole + '\0'));
    EXPECT_FALSE(check_picture(whole + whole));
  }
}

TEST(CheckPictureTest, RefusesWhatNoMailShallBear) {
  EXPECT_FALSE(check_picture(""));
  EXPECT_FALSE(check_picture("<svg/>"));
  EXPECT_FALSE(check_picture(png(header(0, 1) + kData + kEnd)));
  EXPECT_FALSE(check_picture(png(header(0x80000000, 1) + kData + kEnd)));
  EXPECT_FALSE(check_picture(png(header(1, 1, 16) + kData + kEnd)));
  EXPECT_FALSE(check_picture(png(header(1, 1, 8, 5) + kData + kEnd)));
  EXPECT_FALSE(check_picture(png(header(1, 1) + kEnd)));
  EXPECT_FALSE(check_picture(png(kData + header(1, 1) + kEnd)));
  EXPECT_FALSE(check_picture(png(header(1, 1) + header(1, 1) + kData + kEnd)));
  EXPECT_FALSE(check_picture(png(header(1, 1) + big32(0xFFFFFFFF) + "IDAT")));
  EXPECT_FALSE(check_picture(kStart + frame(4) + kScan + kStop));
  EXPECT_FALSE(check_picture(kStart + frame(3, 12) + kScan + kStop));
  EXPECT_FALSE(check_picture(kStart + frame(3, 8, '\xc9') + kScan + kStop));
  EXPECT_FALSE(check_picture(kStart + frame() + frame() + kScan + kStop));
  EXPECT_FALSE(check_picture(kStart + frame() + kStop));
  EXPECT_FALSE(check_picture(kStart + kScan + kStop));
  EXPECT_FALSE(check_picture(kGif + ";"));
  EXPECT_FALSE(check_picture("GIF89a\0\0\x06\0\0\0\0"s + gif_image() + ";"));
}

}  // namespace
}  // namespace pixmilter::image
