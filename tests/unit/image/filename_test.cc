#include "image/filename.h"

#include <gtest/gtest.h>

namespace pixmilter::image {
namespace {

std::string name_of(std::string_view filename, Format format = Format::png) {
  return picture_name({filename, {}, {}}, format, 1);
}

TEST(PictureName, FollowsTheBytes) {
  EXPECT_EQ(name_of("frame.npy"), "frame.png");
  EXPECT_EQ(name_of("scan.TIFF", Format::jpeg), "scan.jpg");
  EXPECT_EQ(name_of("photo.JPEG", Format::jpeg), "photo.JPEG");
  EXPECT_EQ(name_of("photo.jpeg", Format::png), "photo.png");
  EXPECT_EQ(name_of("plot.png.npy"), "plot.png");
  EXPECT_EQ(name_of("movie.npy", Format::gif), "movie.gif");
  EXPECT_EQ(name_of("report.v2"), "report.v2.png");
  EXPECT_EQ(name_of("evil.exe"), "evil.exe.png");
  EXPECT_EQ(name_of("noextension"), "noextension.png");
}

TEST(PictureName, FallsBack) {
  EXPECT_EQ(picture_name({"", "Sales, by month", "<x@y>"}, Format::png, 3), "Sales, by month.png");
  EXPECT_EQ(picture_name({"", "", "<plot.1@host>"}, Format::png, 3), "plot.1.png");
  EXPECT_EQ(picture_name({"", "", "plot@host"}, Format::gif, 3), "plot.gif");
  EXPECT_EQ(picture_name({"", "", ""}, Format::jpeg, 3), "image-3.jpg");
  EXPECT_EQ(picture_name({"..", " / ", "<@>"}, Format::png, 1), "_.png");
  EXPECT_EQ(picture_name({"../", "", ""}, Format::png, 1), "image-1.png");
}

TEST(PictureName, HoldsNothingDangerous) {
  EXPECT_EQ(name_of("../../etc/passwd"), "passwd.png");
  EXPECT_EQ(name_of("C:\\temp\\a.bmp"), "a.png");
  EXPECT_EQ(name_of("/tmp/x/"), "image-1.png");
  EXPECT_EQ(name_of("a\r\n\tb.npy"), "a b.png");
  EXPECT_EQ(name_of(std::string("a\0b.npy", 7)), "ab.png");
  EXPECT_EQ(name_of("a<b>c|d?e*f\".npy"), "a_b_c_d_e_f_.png");
  EXPECT_EQ(name_of("fdp.\xE2\x80\xAEgnp.npy"), "fdp.gnp.png");  // right-to-left override
  EXPECT_EQ(name_of("bad\xFF\xC0.npy"), "bad__.png");
  EXPECT_EQ(name_of("...hidden.npy"), "hidden.png");
  EXPECT_EQ(name_of("CON.npy"), "_CON.png");
  EXPECT_EQ(name_of("com1"), "_com1.png");
  EXPECT_EQ(name_of("comic"), "comic.png");
  EXPECT_EQ(picture_name({"", "a/b", ""}, Format::png, 1), "a_b.png");
}

TEST(PictureName, KeepsOtherScriptsAndCutsBetweenCharacters) {
  EXPECT_EQ(name_of("Übersicht 图表.npy"), "Übersicht 图表.png");
  std::string longer;
  for (int i = 0; i < 100; ++i) longer += "图";
  const std::string cut = name_of(longer + ".npy");
  EXPECT_LE(cut.size(), kMaxNameBytes);
  EXPECT_TRUE(cut.ends_with("图.png"));
}

}  // namespace
}  // namespace pixmilter::image
