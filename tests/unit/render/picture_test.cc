#include "render/picture.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "rendering.h"

namespace pixmilter::render {
namespace {

using image::BandFormat;
using image::Format;
using image::ImageJob;
using image::ImageResult;
using image::Status;

using RenderPicture = Rendering;

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}
std::string noise(std::size_t size) {
  std::string out;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < size; ++i)
    out += static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return out;
}

TEST_F(RenderPicture, GivesEightBitPixelsBackExactly) {
  for (std::uint32_t bands = 1; bands <= 4; ++bands) {
    const std::string pixels = noise(67 * 41 * bands);
    const ImageResult result = render_picture(raw_job(pixels, 67, 41, bands));
    ASSERT_EQ(result.status, Status::ok) << result.reason;
    EXPECT_EQ(result.format, Format::png);
    EXPECT_EQ(result.width, 67u);
    EXPECT_EQ(result.height, 41u);
    const Pixels8 back = decoded(result.bytes);
    ASSERT_EQ(back.bands, static_cast<int>(bands));
    EXPECT_EQ(std::memcmp(back.bytes.data(), pixels.data(), pixels.size()), 0);
  }
}

// What matplotlib's Normalize makes of vmin == vmax: its first colour, whatever the value is.
TEST_F(RenderPicture, ARangeWithoutWidthIsAllItsLowestColour) {
  using Kind = image::Range::Kind;
  std::vector<float> mostly_zero(100, 0.0f);
  mostly_zero[3] = 7;
  mostly_zero[4] = -7;
  struct Case {
    std::vector<float> values;
    image::Range range;
  };
  const Case cases[] = {{std::vector<float>(100, 3.5f), {}},
                        {std::vector<float>(100, 3.5f), {Kind::automatic}},
                        {std::vector<float>(100, 0.1f), {Kind::percentile, 1, 99}},
                        {mostly_zero, {Kind::percentile, 2, 98}},
                        {mostly_zero, {Kind::fixed, 2, 2}}};
  for (const Case& one : cases) {
    const std::string bytes = bytes_of(one.values);
    image::ImageJob job = raw_job(bytes, 10, 10, 1);
    job.layout.format = BandFormat::float_;
    job.settings.range = one.range;
    job.settings.colormap = image::Colormap::viridis;
    const ImageResult result = render_picture(job);
    ASSERT_EQ(result.status, Status::ok) << result.reason;
    const Pixels8 pixels = decoded(result.bytes);
    ASSERT_EQ(pixels.bands, 3);
    for (std::size_t i = 0; i < 100; ++i)
      EXPECT_EQ((std::vector<int>{pixels.bytes[3 * i], pixels.bytes[3 * i + 1], pixels.bytes[3 * i + 2]}),
                (std::vector<int>{0x44, 0x01, 0x54}))
          << i;
  }
  // Beyond a range that has some, a value gets the colour of its end.
  const std::string bytes = bytes_of(mostly_zero);
  image::ImageJob job = raw_job(bytes, 10, 10, 1);
  job.layout.format = BandFormat::float_;
  job.settings.range = {Kind::fixed, -1, 1};
  const Pixels8 pixels = decoded(render_picture(job).bytes);
  EXPECT_EQ((std::vector<int>{pixels.bytes[9], pixels.bytes[10], pixels.bytes[11]}),
            (std::vector<int>{0xFD, 0xE7, 0x25}));
  EXPECT_EQ((std::vector<int>{pixels.bytes[12], pixels.bytes[13], pixels.bytes[14]}),
            (std::vector<int>{0x44, 0x01, 0x54}));
}

// Without a range of its own, alpha is judged by the colours': what lies above is there all the same.
TEST_F(RenderPicture, AlphaStaysWhereColoursAreAllTheSame) {
  std::vector<float> values;
  for (int i = 0; i < 100; ++i) values.insert(values.end(), {3.0f, i == 0 ? 2.0f : 1000.0f});
  const std::string bytes = bytes_of(values);
  image::ImageJob job = raw_job(bytes, 10, 10, 2);
  job.layout.format = BandFormat::float_;
  job.settings.range.kind = image::Range::Kind::automatic;
  const Pixels8 pixels = decoded(render_picture(job).bytes);
  ASSERT_EQ(pixels.bands, 2);
  EXPECT_EQ((std::vector<int>{pixels.bytes[1], pixels.bytes[3]}), (std::vector<int>{0, 255}));
}

TEST_F(RenderPicture, KeepsTheColourOfTransparentPixelsInAPalette) {
  std::string pixels;
  for (int i = 0; i < 900; ++i)
    pixels += {static_cast<char>(i % 5), 7, 9, static_cast<char>(i % 3 ? 0 : 128)};
  const ImageResult result = render_picture(raw_job(pixels, 30, 30, 4));
  ASSERT_EQ(result.status, Status::ok) << result.reason;
  EXPECT_EQ(result.bytes[25], 3);  // colour type: palette
  const Pixels8 back = decoded(result.bytes);
  ASSERT_EQ(back.bands, 4);
  EXPECT_EQ(std::memcmp(back.bytes.data(), pixels.data(), pixels.size()), 0);
}

TEST_F(RenderPicture, TurnsToTrueColourAtThe257thColour) {
  std::string pixels(3 * 400 * 300, '\0');
  for (std::size_t i = 0; i < 257; ++i) {
    pixels[(399 - i % 7) * 300 * 3 % pixels.size() + i * 3] = static_cast<char>(i);
    pixels[pixels.size() - 3 * 257 + i * 3] = static_cast<char>(i);
    pixels[pixels.size() - 3 * 257 + i * 3 + 1] = static_cast<char>(i / 256 + 1);
  }
  const ImageResult result = render_picture(raw_job(pixels, 300, 400, 3));
  ASSERT_EQ(result.status, Status::ok) << result.reason;
  EXPECT_EQ(result.bytes[25], 2);
  const Pixels8 back = decoded(result.bytes);
  EXPECT_EQ(std::memcmp(back.bytes.data(), pixels.data(), pixels.size()), 0);
}

TEST_F(RenderPicture, ShowsNanAsTransparent) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const std::string samples = bytes_of<float>({0, 1, nan, inf, -inf, 0.5});
  ImageJob job = raw_job(samples, 6, 1, 1);
  job.layout.format = BandFormat::float_;
  const Pixels8 back = decoded(render_picture(job).bytes);
  ASSERT_EQ(back.bands, 4);
  const auto at = [&](int x, int band) { return back.bytes[static_cast<std::size_t>(x * 4 + band)]; };
  EXPECT_EQ(at(2, 3), 0);
  EXPECT_EQ(at(0, 0), 0x44);
  EXPECT_EQ(at(1, 0), 0xFD);
  EXPECT_EQ(at(3, 0), 0xFD);
  EXPECT_EQ(at(4, 0), 0x44);
  EXPECT_EQ(at(5, 3), 255);
}

TEST_F(RenderPicture, ConstantFieldsAreAllLowEnd) {
  const std::string samples = bytes_of<double>({7, 7, 7, 7});
  ImageJob job = raw_job(samples, 2, 2, 1);
  job.layout.format = BandFormat::double_;
  const Pixels8 back = decoded(render_picture(job).bytes);
  ASSERT_EQ(back.bands, 3);
  EXPECT_EQ(back.bytes[0], 0x44);
  EXPECT_EQ(back.bytes[9], 0x44);
}

TEST_F(RenderPicture, BelievesNoLayoutThatDoesNotFitTheBytes) {
  const std::string pixels(100, 'x');
  EXPECT_EQ(render_picture(raw_job(pixels, 10, 11, 1)).status, Status::refused);
  EXPECT_EQ(render_picture(raw_job(pixels, 0xFFFFFFFF, 0xFFFFFFFF, 4)).status, Status::refused);
  ImageJob job = raw_job(pixels, 10, 10, 1);
  job.layout.offset = 101;
  EXPECT_EQ(render_picture(job).status, Status::refused);
  job = raw_job(pixels, 10, 10, 5);
  EXPECT_EQ(render_picture(job).status, Status::refused);
  job = raw_job(pixels, 0, 10, 1);
  EXPECT_EQ(render_picture(job).status, Status::refused);
}

TEST_F(RenderPicture, BelievesTheBytesAndNotTheJob) {
  const ImageResult png = render_picture(raw_job(noise(300), 10, 10, 3));
  ImageJob job;
  job.bytes = png.bytes;
  job.format = Format::tiff;
  EXPECT_EQ(render_picture(job).status, Status::refused);
  job.format = Format::unknown;
  EXPECT_EQ(render_picture(job).status, Status::refused);
  job.format = Format::png;
  EXPECT_EQ(render_picture(job).status, Status::ok);
}

TEST_F(RenderPicture, NamesLimits) {
  const std::string pixels(200, 'x');
  ImageJob job = raw_job(pixels, 20, 10, 1);
  job.limits.max_pixels = 199;
  ImageResult result = render_picture(job);
  EXPECT_EQ(result.status, Status::limit);
  EXPECT_EQ(result.reason, "20x10 exceeds max_pixels 199");
  job = raw_job(pixels, 20, 10, 1);
  job.limits.max_side = 19;
  EXPECT_EQ(render_picture(job).reason, "20x10 exceeds max_side 19");
  job = raw_job(pixels, 10, 10, 1);
  job.layout.frames = 2;
  job.limits.max_frames = 1;
  EXPECT_EQ(render_picture(job).reason, "2 frames exceed max_frames 1");
  job = raw_job(pixels, 20, 10, 1);
  job.limits.max_output_bytes = 60;
  result = render_picture(job);
  EXPECT_EQ(result.status, Status::limit);
  EXPECT_EQ(result.reason, "the PNG exceeds 60 bytes");
}

TEST_F(RenderPicture, SaysWhyInOneLine) {
  for (const Format format :
       {Format::png, Format::jpeg, Format::gif, Format::webp, Format::tiff, Format::svg}) {
    const char* head = format == Format::png    ? "\x89PNG\r\n\x1A\n"
                       : format == Format::jpeg ? "\xFF\xD8\xFF\xE0"
                       : format == Format::gif  ? "GIF89a"
                       : format == Format::webp ? "RIFFxxxxWEBPVP8 "
                       : format == Format::tiff ? "MM\0*"
                                                : "<svg";
    std::string bytes(head, format == Format::tiff ? 4 : std::strlen(head));
    bytes += "\nrubbish\nrubbish";
    ImageJob job;
    job.bytes = bytes;
    job.format = format;
    const ImageResult result = render_picture(job);
    EXPECT_EQ(result.status, Status::refused);
    EXPECT_FALSE(result.reason.empty());
    EXPECT_EQ(result.reason.find('\n'), std::string::npos) << result.reason;
    EXPECT_TRUE(result.bytes.empty());
  }
}

TEST_F(RenderPicture, WritesAnimationsWhoseFramesKeepTheirColours) {
  // Two frames with 200 colours each, none in common.
  std::string pixels;
  for (int i = 0; i < 400; ++i)
    pixels += {static_cast<char>(i), static_cast<char>(i / 200), static_cast<char>(i * 3)};
  ImageJob job = raw_job(pixels, 20, 10, 3);
  job.layout.frames = 2;
  job.settings.fps = 30;
  const ImageResult result = render_picture(job);
  ASSERT_EQ(result.status, Status::ok) << result.reason;
  EXPECT_EQ(result.format, Format::gif);
  EXPECT_EQ(result.frames, 2u);
  VipsImage* image = nullptr;
  ASSERT_EQ(vips_gifload_buffer(const_cast<char*>(result.bytes.data()), result.bytes.size(), &image, "n", -1,
                                nullptr),
            0);
  std::size_t size = 0;
  void* memory = vips_image_write_to_memory(image, &size);
  ASSERT_EQ(size, pixels.size() / 3 * static_cast<std::size_t>(image->Bands));
  for (std::size_t i = 0; i < 400; ++i)
    EXPECT_EQ(std::memcmp(static_cast<char*>(memory) + i * static_cast<std::size_t>(image->Bands),
                          pixels.data() + i * 3, 3),
              0)
        << i;
  g_free(memory);
  g_object_unref(image);
}

}  // namespace
}  // namespace pixmilter::render
