// What the tests of the renderer share: libvips started once, jobs made shortly, PNGs read back.
#pragma once

#include <gtest/gtest.h>
#include <vips/vips.h>

#include <cstdint>
#include <string>
#include <vector>

#include "image/npy.h"
#include "render/picture.h"

namespace pixmilter::render {

// A fixture: libvips runs, with one thread and no caches as in the render program.
class Rendering : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_EQ(VIPS_INIT("unit_render"), 0);
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    g_log_set_default_handler([](const char*, GLogLevelFlags, const char*, void*) {}, nullptr);
  }
};

struct Pixels8 {
  int width = 0;
  int height = 0;
  int bands = 0;
  std::vector<std::uint8_t> bytes;
};

// Decodes with libvips, which for PNG is libpng: no code of ours.
inline Pixels8 decoded(const std::string& picture) {
  Pixels8 out;
  VipsImage* image = vips_image_new_from_buffer(picture.data(), picture.size(), "", nullptr);
  if (!image) return out;
  std::size_t size = 0;
  void* memory = vips_image_write_to_memory(image, &size);
  if (memory) {
    out.width = image->Xsize;
    out.height = image->Ysize;
    out.bands = image->Bands;
    out.bytes.assign(static_cast<std::uint8_t*>(memory), static_cast<std::uint8_t*>(memory) + size);
    g_free(memory);
  }
  g_object_unref(image);
  return out;
}

// A job of raw uchar pixels.
inline image::ImageJob raw_job(const std::string& pixels, std::uint32_t width, std::uint32_t height,
                               std::uint32_t bands) {
  image::ImageJob job;
  job.bytes = pixels;
  job.format = image::Format::raw;
  job.layout.width = width;
  job.layout.height = height;
  job.layout.bands = bands;
  return job;
}

}  // namespace pixmilter::render
