// What benchmarks over the pipeline share: a picture of bare pixels, and the render program of their build
// tree.
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "image/job.h"
#include "worker/configured.h"
#include "worker/launcher.h"

namespace pixmilter::bench {

// Gradients and grain, as a camera has them, more or less: 8 bit RGB.
inline std::string camera_pixels(std::uint32_t width, std::uint32_t height, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes;
  bytes.reserve(std::size_t{width} * height * 3);
  for (std::uint32_t y = 0; y < height; ++y)
    for (std::uint32_t x = 0; x < width; ++x)
      for (const std::uint32_t value : {x * 243 / width, y * 243 / height, (x + y) * 243 / (width + height)})
        bytes.push_back(static_cast<char>(value + random() % 12));
  return bytes;
}

// Borrows the pixels.
inline image::ImageJob raw_job(std::string_view pixels, std::uint32_t width, std::uint32_t height) {
  image::ImageJob job;
  job.bytes = pixels;
  job.format = image::Format::raw;
  job.layout.width = width;
  job.layout.height = height;
  job.layout.bands = 3;
  return job;
}

inline worker::RenderProgram built_render_program(const config::Render& settings) {
  worker::RenderProgram program = worker::render_program(settings);
  program.path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../../pixmilter-render";
  return program;
}

}  // namespace pixmilter::bench
