#include "render/sizing.h"

#include <gtest/gtest.h>

namespace pixmilter::render {
namespace {

using image::Resize;

Geometry of(std::uint32_t width, std::uint32_t height, Resize resize, std::uint32_t w, std::uint32_t h,
            bool enlarge = false) {
  image::RenderSettings settings;
  settings.resize = resize;
  settings.width = w;
  settings.height = h;
  settings.enlarge = enlarge;
  return geometry_for(width, height, settings);
}
Geometry plain(std::uint32_t width, std::uint32_t height) { return {width, height, width, height}; }

TEST(Geometry, FitsIntoABox) {
  EXPECT_EQ(of(300, 200, Resize::fit, 100, 0), plain(100, 67));
  EXPECT_EQ(of(300, 200, Resize::fit, 0, 100), plain(150, 100));
  EXPECT_EQ(of(300, 200, Resize::fit, 100, 40), plain(60, 40));
  EXPECT_EQ(of(300, 200, Resize::fit, 600, 0), plain(300, 200));
  EXPECT_EQ(of(300, 200, Resize::fit, 600, 0, true), plain(600, 400));
  EXPECT_EQ(of(300, 200, Resize::fit, 600, 300, true), plain(450, 300));
  EXPECT_EQ(of(300, 200, Resize::fit, 0, 0), plain(300, 200));
  EXPECT_EQ(of(300, 200, Resize::none, 10, 10), plain(300, 200));
}

TEST(Geometry, FillsABox) {
  EXPECT_EQ(of(300, 200, Resize::fill, 100, 100), (Geometry{150, 100, 100, 100}));
  EXPECT_EQ(of(300, 200, Resize::fill, 100, 0), plain(100, 67));
  EXPECT_EQ(of(300, 200, Resize::fill, 400, 100), (Geometry{300, 200, 300, 100}));
  EXPECT_EQ(of(300, 200, Resize::fill, 400, 400, true), (Geometry{600, 400, 400, 400}));
}

TEST(Geometry, ForcesABox) {
  EXPECT_EQ(of(300, 200, Resize::force, 90, 170), plain(90, 170));
  EXPECT_EQ(of(300, 200, Resize::force, 90, 0), plain(90, 60));
  EXPECT_EQ(of(300, 200, Resize::force, 400, 100), plain(300, 100));
  EXPECT_EQ(of(300, 200, Resize::force, 400, 100, true), plain(400, 100));
}

TEST(Geometry, KeepsAPixelAtTheLeast) {
  EXPECT_EQ(of(30000, 3, Resize::fit, 10, 0), plain(10, 1));
  EXPECT_EQ(of(1, 30000, Resize::fit, 0, 10), plain(1, 10));
}

}  // namespace
}  // namespace pixmilter::render
