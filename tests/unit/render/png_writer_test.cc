// Every sample comes back, whatever the size, the bands and the content; judged by libpng through libvips.
#include "render/png_writer.h"

#include <algorithm>
#include <random>

#include "rendering.h"

namespace pixmilter::render {
namespace {

class PngWriter : public Rendering {
 protected:
  std::mt19937 random{7};

  std::uint32_t up_to(std::uint32_t most) { return static_cast<std::uint32_t>(random() % most) + 1; }

  // Bands of rows, each with a content of its own, so that strips differ in how they are best written.
  std::string pixels(std::uint32_t width, std::uint32_t height, std::uint32_t bands) {
    const std::size_t row = std::size_t{width} * bands;
    std::string out;
    while (out.size() < row * height) {
      const std::size_t rows = std::min<std::size_t>(up_to(height), height - out.size() / row);
      const std::uint32_t kind = up_to(7);
      const auto base = static_cast<std::uint32_t>(random());
      for (std::size_t i = 0; i < rows * row; ++i) {
        const std::size_t x = i % row / bands;
        const std::size_t y = i / row;
        switch (kind) {
          case 1:
            out += static_cast<char>(base);
            break;
          case 2:
            out += static_cast<char>(random());
            break;
          case 3:  // grain
            out += static_cast<char>(x / 3 + y / 2 + random() % 7);
            break;
          case 4:  // tiles
            out += static_cast<char>((x / 8 * 31 + y / 8 * 17 + i % bands) % 11 * 23);
            break;
          case 5:
            out += static_cast<char>(x * 2 + y);
            break;
          case 6:  // rare changes
            out += static_cast<char>(random() % 500 == 0 ? random() : base + i % bands);
            break;
          default:  // what was there before
            out += out.size() > row * 3 ? out[out.size() - row * 3] : '\1';
        }
      }
    }
    return out;
  }

  std::string written(const std::string& samples, std::uint32_t width, std::uint32_t height,
                      std::uint32_t bands, const PngOptions& options) {
    auto image = borrow_pixels(reinterpret_cast<const std::uint8_t*>(samples.data()), width, height, bands);
    EXPECT_TRUE(image);
    auto png = write_png(image->get(), options);
    EXPECT_TRUE(png) << (png ? "" : png.failure().reason);
    return png ? *png : "";
  }

  void expect_back(const std::string& samples, std::uint32_t width, std::uint32_t height, std::uint32_t bands,
                   const PngOptions& options) {
    const std::string png = written(samples, width, height, bands, options);
    EXPECT_EQ(png, written(samples, width, height, bands, options));
    const Pixels8 back = decoded(png);
    ASSERT_EQ(back.width, static_cast<int>(width));
    ASSERT_EQ(back.height, static_cast<int>(height));
    const auto same_bands = static_cast<std::uint32_t>(back.bands) == bands;
    // A palette without transparency comes back without alpha.
    if (same_bands) {
      ASSERT_EQ(back.bytes.size(), samples.size());
      EXPECT_TRUE(std::equal(back.bytes.begin(), back.bytes.end(),
                             reinterpret_cast<const std::uint8_t*>(samples.data())));
      return;
    }
    ASSERT_EQ(bands, 4u);
    ASSERT_EQ(back.bands, 3);
    for (std::size_t i = 0; i < std::size_t{width} * height; ++i) {
      ASSERT_EQ(samples.compare(i * 4, 3, reinterpret_cast<const char*>(&back.bytes[i * 3]), 3), 0);
      ASSERT_EQ(samples[i * 4 + 3], '\xFF');
    }
  }
};

TEST_F(PngWriter, GivesEverySampleBack) {
  for (int i = 0; i < 300; ++i) {
    const std::uint32_t bands = up_to(4);
    std::uint32_t width = up_to(i % 3 ? 70 : 700);
    std::uint32_t height = up_to(i % 5 ? 70 : 700);
    if (i % 11 == 0) width = 1;
    if (i % 13 == 0) height = 1;
    SCOPED_TRACE(std::to_string(width) + "x" + std::to_string(height) + "x" + std::to_string(bands) + ", " +
                 std::to_string(i));
    PngOptions options;
    options.smallest = i % 4 == 1;
    options.fastest = i % 4 == 2;
    options.palette = i % 8 != 3;
    expect_back(pixels(width, height, bands), width, height, bands, options);
  }
}

TEST_F(PngWriter, GivesRowsBackThatAreLongerThanAStrip) {
  for (const std::uint32_t bands : {1u, 3u, 4u})
    expect_back(pixels(200'003, 5, bands), 200'003, 5, bands, {});
}

TEST_F(PngWriter, WritesTheSameWithAndWithoutAHelper) {
  for (int i = 0; i < 12; ++i) {
    const std::string samples = pixels(1100, 700, 3);
    PngOptions options;
    options.fastest = i % 4 == 0;
    const std::string with = written(samples, 1100, 700, 3, options);
    options.helper = false;
    EXPECT_EQ(with, written(samples, 1100, 700, 3, options));
  }
}

TEST_F(PngWriter, WritesNoiseInNoMoreThanItsSize) {
  std::string noise;
  while (noise.size() < 3 * 400 * 300) noise += static_cast<char>(random());
  for (const bool fastest : {false, true}) {
    PngOptions options;
    options.fastest = fastest;
    EXPECT_LT(written(noise, 400, 300, 3, options).size(), noise.size() + noise.size() / 500 + 300);
  }
}

TEST_F(PngWriter, RefusesMoreThanItsLimit) {
  std::string noise;
  while (noise.size() < 3 * 400 * 300) noise += static_cast<char>(random());
  const std::string flat(3 * 3000 * 1000, '\7');
  for (const bool fastest : {false, true}) {
    PngOptions options;
    options.fastest = fastest;
    options.max_output_bytes = 100'000;
    auto image = borrow_pixels(reinterpret_cast<const std::uint8_t*>(noise.data()), 400, 300, 3);
    const auto png = write_png(image->get(), options);
    ASSERT_FALSE(png);
    EXPECT_EQ(png.failure().status, image::Status::limit);
    EXPECT_EQ(png.failure().reason, "the PNG exceeds 100000 bytes");
    EXPECT_LT(written(flat, 3000, 1000, 3, options).size(), 100'000u);
  }
}

}  // namespace
}  // namespace pixmilter::render
