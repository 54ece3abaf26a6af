// What a photograph costs as JPEG: at one quality, and where the file must not be larger than so many bytes,
// for which qualities and sizes are tried (src/render/encode.cc). The counter kB is the size of the file.
#include <benchmark/benchmark.h>
#include <vips/vips.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "image/job.h"
#include "render/encode.h"
#include "render/vips_image.h"

namespace {

using namespace pixmilter;

// Smooth shapes with as much grain as a camera adds.
std::vector<std::uint8_t> photograph(std::uint32_t width, std::uint32_t height) {
  std::mt19937 random(1);
  std::vector<std::uint8_t> pixels;
  pixels.reserve(std::size_t{width} * height * 3);
  for (std::uint32_t y = 0; y < height; ++y)
    for (std::uint32_t x = 0; x < width; ++x)
      for (int band = 0; band < 3; ++band)
        pixels.push_back(static_cast<std::uint8_t>(128 + 90 * std::sin(x / 37.0 + y / 91.0 + band) +
                                                   static_cast<int>(random() % 13) - 6));
  return pixels;
}

// Arguments: width, height, the most bytes (0: no bound), whether time is short.
void Jpeg(benchmark::State& state) {
  const auto width = static_cast<std::uint32_t>(state.range(0));
  const auto height = static_cast<std::uint32_t>(state.range(1));
  const std::vector<std::uint8_t> pixels = photograph(width, height);
  image::ImageJob job;
  job.settings.format = image::OutputFormat::jpeg;
  job.settings.max_bytes = static_cast<std::uint64_t>(state.range(2));
  job.hurried = state.range(3) != 0;
  std::size_t size = 0;
  for (auto _ : state) {
    render::Picture picture;
    picture.image = *render::borrow_pixels(pixels.data(), width, height, 3);
    const auto result = render::encode(std::move(picture), job);
    if (!result) state.SkipWithError(result.failure().reason.c_str());
    size = result ? result->bytes.size() : 0;
  }
  state.counters["kB"] = static_cast<double>(size) / 1000;
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(pixels.size()));
}
BENCHMARK(Jpeg)
    ->ArgNames({"width", "height", "max_bytes", "hurried"})
    ->Args({640, 480, 0, 0})
    ->Args({1920, 1080, 0, 0})
    ->Args({1920, 1080, 100'000, 0})
    ->Args({1920, 1080, 100'000, 1})
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  if (VIPS_INIT(argv[0])) return 70;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
