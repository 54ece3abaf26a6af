#include "render/colormap.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "colormap_published.h"
#include "rendering.h"

namespace pixmilter::render {
namespace {

using image::Colormap;

struct Published {
  const char* name;
  Colormap map;
  const char* table;
};
class EveryColormap : public Rendering, public testing::WithParamInterface<Published> {};

// The byte of a published table, which has three for each entry.
int published(const char* table, int entry, int band) {
  const std::string digits(table + entry * 6 + band * 2, 2);
  return static_cast<int>(std::strtol(digits.c_str(), nullptr, 16));
}

TEST_P(EveryColormap, HasThe256PublishedEntries) {
  ASSERT_EQ(std::string(GetParam().table).size(), 256u * 6);
  // uint8 over its whole range: value i shows entry i.
  std::string ramp;
  for (int i = 0; i < 256; ++i) ramp += static_cast<char>(i);
  image::ImageJob job = raw_job(ramp, 256, 1, 1);
  job.settings.colormap = GetParam().map;
  const image::ImageResult result = render_picture(job);
  ASSERT_EQ(result.status, image::Status::ok) << result.reason;
  const Pixels8 pixels = decoded(result.bytes);
  const bool gray = GetParam().map == Colormap::gray;
  ASSERT_EQ(pixels.bands, gray ? 1 : 3);
  for (int i = 0; i < 256; ++i)
    for (int band = 0; band < pixels.bands; ++band)
      EXPECT_EQ(pixels.bytes[static_cast<std::size_t>(i * pixels.bands + band)],
                published(GetParam().table, i, band))
          << GetParam().name << " entry " << i << " band " << band;
}

INSTANTIATE_TEST_SUITE_P(Maps, EveryColormap,
                         testing::Values(Published{"gray", Colormap::gray, kPublished_gray},
                                         Published{"viridis", Colormap::viridis, kPublished_viridis},
                                         Published{"magma", Colormap::magma, kPublished_magma},
                                         Published{"inferno", Colormap::inferno, kPublished_inferno},
                                         Published{"plasma", Colormap::plasma, kPublished_plasma},
                                         Published{"cividis", Colormap::cividis, kPublished_cividis},
                                         Published{"turbo", Colormap::turbo, kPublished_turbo}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Colormap, EndsAsEverybodyKnowsThem) {
  EXPECT_EQ(kViridis.front(), 0x440154u);
  EXPECT_EQ(kViridis.back(), 0xFDE725u);
  EXPECT_EQ(kMagma.back(), 0xFCFDBFu);
  EXPECT_EQ(kInferno.back(), 0xFCFFA4u);
  EXPECT_EQ(kPlasma.back(), 0xF0F921u);
}

}  // namespace
}  // namespace pixmilter::render
