#include "image/npy.h"

#include <gtest/gtest.h>

#include <string>

namespace pixmilter::image {
namespace {

std::string npy(std::string header, std::size_t pixels, int major = 1) {
  std::string out = "\x93NUMPY";
  out += static_cast<char>(major);
  out += '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) out += static_cast<char>(header.size() >> 8 * i & 255);
  return out + header + std::string(pixels, 'x');
}
std::string header(std::string descr, std::string order, std::string shape) {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }   \n";
}
std::string why(const std::string& bytes) {
  const auto result = read_npy(bytes);
  return result ? "ok" : result.error().text;
}

TEST(Npy, ReadsWhatNumpyWrites) {
  for (const int version : {1, 2, 3}) {
    const auto layout = read_npy(npy(header("|u1", "False", "(4, 6, 3)"), 72, version));
    ASSERT_TRUE(layout) << layout.error().text;
    EXPECT_EQ(layout->height, 4u);
    EXPECT_EQ(layout->width, 6u);
    EXPECT_EQ(layout->bands, 3u);
    EXPECT_EQ(layout->frames, 1u);
    EXPECT_FALSE(layout->fortran_order);
    EXPECT_EQ(layout->format, BandFormat::uchar);
    EXPECT_EQ(layout->offset + 72, npy(header("|u1", "False", "(4, 6, 3)"), 72, version).size());
  }
}

TEST(Npy, TellsFramesFromBands) {
  auto layout = read_npy(npy(header("<f4", "True", "(5, 4, 6)"), 480));
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->frames, 5u);
  EXPECT_EQ(layout->height, 4u);
  EXPECT_EQ(layout->width, 6u);
  EXPECT_TRUE(layout->fortran_order);
  layout = read_npy(npy(header(">i2", "False", "(5, 4, 6, 2)"), 480));
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->frames, 5u);
  EXPECT_EQ(layout->bands, 2u);
  EXPECT_TRUE(layout->big_endian);
}

TEST(Npy, ReadsEveryDtypeOfPixels) {
  const std::pair<const char*, BandFormat> known[] = {
      {"|b1", BandFormat::boolean}, {"|u1", BandFormat::uchar},  {"|i1", BandFormat::char_},
      {"<u2", BandFormat::ushort},  {">i2", BandFormat::short_}, {"<u4", BandFormat::uint},
      {">i4", BandFormat::int_},    {"<u8", BandFormat::uint64}, {">i8", BandFormat::int64},
      {"<f2", BandFormat::half},    {">f4", BandFormat::float_}, {"<f8", BandFormat::double_}};
  for (const auto& [descr, format] : known) {
    const auto layout = read_npy(npy(header(descr, "False", "(2, 2)"), 4 * sample_bytes(format)));
    ASSERT_TRUE(layout) << layout.error().text;
    EXPECT_EQ(layout->format, format);
    EXPECT_EQ(layout->big_endian, descr[0] == '>');
  }
  EXPECT_NE(why(npy(header("|O", "False", "(2, 2)"), 32)).find("never unpacked"), std::string::npos);
  for (const char* descr : {"<c8", "|S3", "<U3", "<M8[s]", "|V4", "<f16", "u2", "|u2", "=u2", "", "x", "<u3"})
    EXPECT_NE(why(npy(header(descr, "False", "(2, 2)"), 64)).find("dtype"), std::string::npos) << descr;
  EXPECT_NE(
      why(npy("{'descr': [('r', '|u1')], 'fortran_order': False, 'shape': (2, 2), }", 4)).find("structured"),
      std::string::npos);
}

TEST(Npy, AcceptsOtherSpellingsOfTheSameLiteral) {
  for (const char* text : {"{\"shape\":(2,2),\"fortran_order\":False,\"descr\":\"|u1\"}",
                           "{'shape': (2L, 2L), 'descr': '|u1', 'fortran_order': False}",
                           "{ 'fortran_order' : False ,\n'descr' : u'|u1' , 'shape' : ( 2 , 2 , ) , } "})
    EXPECT_EQ(why(npy(text, 4)), "ok") << text;
}

TEST(Npy, RefusesWhatIsNoPlainLiteral) {
  for (const char* text : {"",
                           "{",
                           "{}",
                           "{'descr': '|u1', 'fortran_order': False}",
                           "__import__('os').system('true')",
                           "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), 'x': 1}",
                           "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)}",
                           "{'descr': '|u1', 'fortran_order': 0, 'shape': (2, 2)}",
                           "{'descr': '|u1', 'fortran_order': Falsey, 'shape': (2, 2)}",
                           "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)} and more",
                           "{'descr': '|u1', 'fortran_order': False, 'shape': [2, 2]}",
                           "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1+1)}",
                           "{'descr': '|u1', 'fortran_order': False, 'shape': (-2, 2)}",
                           "{'descr': '|u1', 'fortran_order': False, 'shape': (0x2, 2)}",
                           "{'descr': '|u1', 'fortran_order': False, 'shape': (2 2)}",
                           "{'descr': '|u1' 'fortran_order': False, 'shape': (2, 2)}",
                           "{'descr': '|\\u1', 'fortran_order': False, 'shape': (2, 2)}",
                           "{'descr': '|u1, 'fortran_order': False, 'shape': (2, 2)}",
                           "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 2)}",
                           "{'descr': exit(), 'fortran_order': False, 'shape': (2, 2)}"})
    EXPECT_NE(why(npy(text, 4)).find("npy header"), std::string::npos) << text << ": " << why(npy(text, 4));
}

TEST(Npy, RefusesShapesThatAreNoPicture) {
  for (const char* shape : {"()", "(4,)", "(0, 4)", "(1, 1, 2, 2, 1)", "(2, 2, 2, 5)", "(4294967296, 1)"})
    EXPECT_NE(why(npy(header("|u1", "False", shape), 4)).find("npy shape"), std::string::npos) << shape;
}

TEST(Npy, ComparesTheClaimWithTheBytes) {
  EXPECT_NE(why(npy(header("|u1", "False", "(2, 2)"), 3)).find("too short"), std::string::npos);
  EXPECT_NE(why(npy(header("|u1", "False", "(2, 2)"), 5)).find("too long"), std::string::npos);
  EXPECT_EQ(why(npy(header("|u1", "False", "(2, 2)"), 4) + "\r\n"), "ok");
  EXPECT_EQ(why(npy(header("|u1", "False", "(2, 2)"), 4) + "\n"), "ok");
  // Each extent fits, their product passes 64 bits.
  EXPECT_NE(why(npy(header("<f8", "False", "(4294967295, 4294967295, 4294967295, 4)"), 64)).find("too short"),
            std::string::npos);
  const std::string whole = npy(header("|u1", "False", "(2, 2)"), 4);
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(why(whole.substr(0, size)), "ok");
  EXPECT_NE(why(npy(header("|u1", "False", "(2, 2)"), 4, 4)).find("version"), std::string::npos);
  EXPECT_NE(why(npy(header("|u1", "False", "(2, 2)") + std::string(20'000, ' '), 4)).find("header"),
            std::string::npos);
}

}  // namespace
}  // namespace pixmilter::image
