#include "image/bmp.h"

#include <gtest/gtest.h>

#include <string>

namespace pixmilter::image {
namespace {

std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += i < 8 ? static_cast<char>(value >> 8 * i) : '\0';
  return out;
}
// A file with a header of the given size, its fields behind the first nine zero.
std::string bmp(int header, int width, int height, int bits, int compression, int colours,
                const std::string& rest, int gap = 0) {
  std::string info = little(header, 4);
  if (header == 12)
    info += little(width, 2) + little(height, 2) + little(1, 2) + little(bits, 2);
  else
    info += little(width, 4) + little(height, 4) + little(1, 2) + little(bits, 2) + little(compression, 4) +
            little(0, 12) + little(colours, 4) + little(0, 4);
  info.resize(static_cast<std::size_t>(header), '\0');
  const std::size_t palette =
      bits <= 8 ? static_cast<std::size_t>(colours ? colours : 1 << bits) * (header == 12 ? 3 : 4) : 0;
  info += std::string(palette + static_cast<std::size_t>(gap), '\0');
  return "BM" + little(14 + info.size() + rest.size(), 4) + little(0, 4) + little(14 + info.size(), 4) +
         info + rest;
}
std::string why(const std::string& bytes) {
  const auto result = read_bmp(bytes);
  return result ? "ok" : result.error().text;
}

TEST(Bmp, ReadsEveryHeader) {
  for (const int header : {12, 40, 52, 56, 64, 108, 124}) {
    const auto b = read_bmp(bmp(header, 3, 2, 24, 0, 0, std::string(24, 'x')));
    ASSERT_TRUE(b) << header << b.error().text;
    EXPECT_EQ(b->width, 3u);
    EXPECT_EQ(b->height, 2u);
    EXPECT_EQ(b->row_bytes(), 12u);
    EXPECT_FALSE(b->top_down);
  }
  EXPECT_NE(why(bmp(41, 3, 2, 24, 0, 0, std::string(24, 'x'))), "ok");
}

TEST(Bmp, ReadsDepthsAndPalettes) {
  for (const int bits : {1, 2, 4, 8, 16, 24, 32})
    EXPECT_EQ(why(bmp(40, 5, 4, bits, 0, 0, std::string(80, 'x'))), "ok") << bits;
  for (const int bits : {0, 3, 7, 33, 48})
    EXPECT_NE(why(bmp(40, 5, 4, bits, 0, 0, std::string(80, 'x'))), "ok") << bits;
  const auto b = read_bmp(bmp(40, 5, 4, 8, 0, 17, std::string(32, 'x')));
  ASSERT_TRUE(b);
  EXPECT_EQ(b->palette_colours, 17u);
  EXPECT_NE(why(bmp(40, 5, 4, 4, 0, 17, std::string(32, 'x'))), "ok");
}

TEST(Bmp, ReadsMasks) {
  const std::string masks = little(0xF800, 4) + little(0x07E0, 4) + little(0x001F, 4);
  auto b = read_bmp(bmp(40, 1, 1, 16, 3, 0, masks + "xxxx"));
  // The pixels' place was said to be where the masks are; writers count it behind them.
  std::string file = bmp(40, 1, 1, 16, 3, 0, masks + "xxxx");
  file[10] = static_cast<char>(file[10] + 12);
  b = read_bmp(file);
  ASSERT_TRUE(b) << b.error().text;
  EXPECT_EQ(b->masks[1], 0x07E0u);
  EXPECT_EQ(b->masks[3], 0u);
  std::string overlapping = file;
  overlapping[54] = '\x1F';
  EXPECT_NE(why(overlapping), "ok");
  std::string torn = file;
  torn[54] = '\x00';
  torn[55] = '\xA8';
  EXPECT_NE(why(torn), "ok");
}

TEST(Bmp, ReadsDirectionAndRefusesNonsense) {
  const auto b = read_bmp(bmp(40, 5, -4, 24, 0, 0, std::string(64, 'x')));
  ASSERT_TRUE(b);
  EXPECT_TRUE(b->top_down);
  EXPECT_EQ(b->height, 4u);
  EXPECT_NE(why(bmp(40, 0, 4, 24, 0, 0, "x")), "ok");
  EXPECT_NE(why(bmp(40, -5, 4, 24, 0, 0, "x")), "ok");
  EXPECT_NE(why(bmp(40, 5, INT32_MIN, 24, 0, 0, "x")), "ok");
  EXPECT_NE(why(bmp(40, 5, 4, 24, 4, 0, std::string(64, 'x'))).find("compression"), std::string::npos);
  EXPECT_NE(why(bmp(40, 5, -4, 8, 1, 0, std::string(64, 'x'))), "ok");
  EXPECT_NE(why(bmp(40, 5, 4, 4, 1, 0, std::string(64, 'x'))), "ok");
  EXPECT_NE(why(bmp(40, INT32_MAX, INT32_MAX, 32, 0, 0, std::string(64, 'x'))).find("too short"),
            std::string::npos);
  EXPECT_NE(why(bmp(40, 5, 4, 24, 0, 0, std::string(62, 'x'))).find("too short"), std::string::npos);
  EXPECT_EQ(why(bmp(40, 5, 4, 24, 0, 0, std::string(63, 'x'))), "ok");  // the last row's padding is missing
  const std::string whole = bmp(40, 3, 2, 8, 0, 0, std::string(8, 'x'));
  for (std::size_t size = 0; size + 1 < whole.size(); ++size)
    EXPECT_NE(why(whole.substr(0, size)), "ok") << size;
}

}  // namespace
}  // namespace pixmilter::image
