#include "image/netpbm.h"

#include <gtest/gtest.h>

#include <string>

namespace pixmilter::image {
namespace {
using namespace std::string_literals;

std::string why(const std::string& bytes) {
  const auto picture = read_netpbm(bytes);
  return picture ? "ok" : picture.error().text;
}

TEST(Netpbm, ReadsBinaryKinds) {
  auto p = read_netpbm("P6 2 3 255\n" + std::string(18, 'x'));
  ASSERT_TRUE(p) << p.error().text;
  EXPECT_EQ(p->coding, Netpbm::Coding::samples);
  EXPECT_EQ(p->layout.width, 2u);
  EXPECT_EQ(p->layout.height, 3u);
  EXPECT_EQ(p->layout.bands, 3u);
  EXPECT_EQ(p->layout.offset, 11u);
  p = read_netpbm("P5\n# made by hand\n2 # two\n3\n1000\n" + std::string(12, 'x'));
  ASSERT_TRUE(p) << p.error().text;
  EXPECT_EQ(p->layout.format, BandFormat::ushort);
  EXPECT_TRUE(p->layout.big_endian);
  EXPECT_EQ(p->maxval, 1000u);
  p = read_netpbm("P4\n9 2\n" + std::string(4, 'x'));
  ASSERT_TRUE(p) << p.error().text;
  EXPECT_EQ(p->coding, Netpbm::Coding::packed_bits);
}

TEST(Netpbm, ReadsPlainKinds) {
  EXPECT_EQ(why("P1 2 2 0110"), "ok");
  EXPECT_EQ(why("P1\n2 2\n0 1\n1 0\n"), "ok");
  EXPECT_EQ(why("P2 2 1 15 0 15"), "ok");
  EXPECT_EQ(why("P3 1 1 65535 1 2 3"), "ok");
}

TEST(Netpbm, ReadsPfmInBothOrders) {
  auto p = read_netpbm("Pf\n2 1\n-1.0\n" + std::string(8, 'x'));
  ASSERT_TRUE(p) << p.error().text;
  EXPECT_FALSE(p->layout.big_endian);
  EXPECT_TRUE(p->bottom_up);
  EXPECT_EQ(p->layout.format, BandFormat::float_);
  p = read_netpbm("PF 1 1 2.5\n" + std::string(12, 'x'));
  ASSERT_TRUE(p) << p.error().text;
  EXPECT_TRUE(p->layout.big_endian);
  EXPECT_EQ(p->layout.bands, 3u);
  EXPECT_EQ(p->unit, 2.5);
}

TEST(Netpbm, ReadsPam) {
  auto p =
      read_netpbm("P7\n# c\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n12345678");
  ASSERT_TRUE(p) << p.error().text;
  EXPECT_EQ(p->layout.bands, 4u);
  EXPECT_EQ(why("P7\nHEIGHT 1\nMAXVAL 1\nWIDTH 2\nDEPTH 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n\1\0"s), "ok");
  EXPECT_EQ(why("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 65535\nENDHDR\n1234"), "ok");
  EXPECT_NE(why("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n12"), "ok");
  EXPECT_NE(why("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE CMYK\nENDHDR\n1234"), "ok");
  EXPECT_NE(why("P7\nWIDTH 1\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n12"), "ok");
  EXPECT_NE(why("P7\nWIDTH 1\nHEIGHT 1\nMAXVAL 255\nENDHDR\n12"), "ok");
  EXPECT_NE(why("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\n"), "ok");
}

TEST(Netpbm, RefusesWhatMakesNoSense) {
  for (const char* text :
       {"P6 0 3 255\nxxx", "P6 -1 3 255\nxxx", "P6 1 1 0\nxxx", "P6 1 1 65536\nxxx", "P6 1 1 255", "P6 1 1",
        "P6 a b c\n", "P6 1x1 1 255\nxxx", "P6 99999999999 1 255\nx", "Pf 1 1 0\nxxxx", "Pf 1 1 nan\nxxxx",
        "Pf 1 1 1e\nxxxx", "P1 2 2 011", "P2 2 2 255 1 2 3"})
    EXPECT_NE(why(text), "ok") << text;
  EXPECT_NE(why("P6 2 3 255\n" + std::string(17, 'x')).find("too short"), std::string::npos);
  EXPECT_NE(why("P6 4294967295 4294967295 65535\n" + std::string(17, 'x')).find("too short"),
            std::string::npos);
  const std::string whole = "P5\n# comment\n3 2 255\nabcdef";
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(why(std::string(whole, 0, size)), "ok");
  EXPECT_EQ(why(whole + whole), "ok");  // a stream of pictures: the first
}

}  // namespace
}  // namespace pixmilter::image
