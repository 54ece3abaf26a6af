#include "image/raw_params.h"

#include <gtest/gtest.h>

#include <string>

namespace pixmilter::image {
namespace {

std::string why(const Parameters& parameters, std::size_t bytes) {
  const auto result = read_raw_layout(parameters, std::string(bytes, 'x'));
  return result ? "ok" : result.error().text;
}
std::string settings_why(const Parameters& parameters, RenderSettings& settings) {
  const auto status = read_raw_settings(parameters, settings);
  return status ? "ok" : status.error().text;
}

TEST(RawParams, ReadsAGeometry) {
  const auto layout = read_raw_layout({{"Layout", "PLANAR"},
                                       {"width", "6"},
                                       {"HEIGHT", " 4 "},
                                       {"bands", "3"},
                                       {"format", "UShort"},
                                       {"endian", "Big"},
                                       {"name", "x"}},
                                      std::string(144, 'x'));
  ASSERT_TRUE(layout) << layout.error().text;
  EXPECT_EQ(layout->width, 6u);
  EXPECT_EQ(layout->height, 4u);
  EXPECT_EQ(layout->bands, 3u);
  EXPECT_EQ(layout->format, BandFormat::ushort);
  EXPECT_TRUE(layout->big_endian);
  EXPECT_TRUE(layout->planar);
  EXPECT_EQ(layout->offset, 0u);
}

TEST(RawParams, HasDefaults) {
  const auto layout = read_raw_layout({{"width", "2"}, {"height", "3"}}, "abcdef");
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->bands, 1u);
  EXPECT_EQ(layout->format, BandFormat::uchar);
  EXPECT_FALSE(layout->big_endian);
  EXPECT_FALSE(layout->planar);
}

TEST(RawParams, NamesWhatIsWrong) {
  EXPECT_NE(why({{"height", "3"}}, 6).find("width is missing"), std::string::npos);
  EXPECT_NE(why({{"width", "2"}, {"height", "3"}, {"Width", "2"}}, 6).find("twice"), std::string::npos);
  for (const char* value : {"", "0", "-1", "1e3", "2x", "0x2", "+2", "4294967296", "2 2"})
    EXPECT_NE(why({{"width", value}, {"height", "3"}}, 6).find("parameter width"), std::string::npos)
        << value;
  EXPECT_NE(why({{"width", "2"}, {"height", "3"}, {"format", "complex"}}, 6).find("uchar"),
            std::string::npos);
  EXPECT_NE(why({{"width", "2"}, {"height", "3"}, {"bands", "5"}}, 30).find("bands"), std::string::npos);
  EXPECT_NE(why({{"width", "2"}, {"height", "3"}}, 5).find("too short"), std::string::npos);
  EXPECT_NE(why({{"width", "2"}, {"height", "3"}}, 7).find("too long"), std::string::npos);
  EXPECT_NE(why({{"width", "4294967295"}, {"height", "4294967295"}, {"bands", "4"}, {"format", "double"}}, 8)
                .find("too short"),
            std::string::npos);
}

TEST(RawParams, ReadsColormapRangeAndFps) {
  RenderSettings settings;
  EXPECT_EQ(settings_why({{"colormap", "Turbo"}, {"range", "-1.5, 2e3"}, {"fps", "12.5"}}, settings), "ok");
  EXPECT_EQ(settings.colormap, Colormap::turbo);
  EXPECT_EQ(settings.range.kind, Range::Kind::fixed);
  EXPECT_EQ(settings.range.low, -1.5);
  EXPECT_EQ(settings.range.high, 2000);
  EXPECT_EQ(settings.fps, 12.5);
  EXPECT_EQ(settings_why({{"range", "P2,p98.5"}}, settings), "ok");
  EXPECT_EQ(settings.range.kind, Range::Kind::percentile);
  EXPECT_EQ(settings.range.high, 98.5);
  EXPECT_EQ(settings_why({{"range", "AUTO"}}, settings), "ok");
  EXPECT_EQ(settings.range.kind, Range::Kind::automatic);
  EXPECT_EQ(settings_why({{"range", "full"}}, settings), "ok");
  EXPECT_EQ(settings.range.kind, Range::Kind::full);
  EXPECT_EQ(settings_why({}, settings), "ok");
  EXPECT_EQ(settings.colormap, Colormap::turbo);
}

TEST(RawParams, RefusesWrongSettingsAndKeepsTheOldOnes) {
  RenderSettings settings;
  for (const char* range : {"", "1", "1,", ",", "a,b", "2,1", "p2,98", "2,p98", "p-1,p98", "p2,p101",
                            "p98,p2", "nan,1", "0,inf", "1,2,3"})
    EXPECT_NE(settings_why({{"colormap", "gray"}, {"range", range}}, settings).find("range"),
              std::string::npos)
        << range;
  EXPECT_NE(settings_why({{"colormap", "jet"}}, settings).find("viridis"), std::string::npos);
  for (const char* fps : {"0", "-1", "1000", "x", "nan"})
    EXPECT_NE(settings_why({{"fps", fps}}, settings).find("fps"), std::string::npos) << fps;
  EXPECT_EQ(settings.colormap, Colormap::automatic);
  EXPECT_EQ(settings.range.kind, Range::Kind::by_type);
}

}  // namespace
}  // namespace pixmilter::image
