// What filter, level and strategy cost and give for PNG: the figures behind src/render/png_strategy.cc.
//
// Each benchmark's name is content / way; the counter "kB" is the size of the file (1000 bytes). "writer" is
// ours, which chooses for itself; "libvips" is vips_pngsave; the others deflate all rows in one fixed way.
#include <benchmark/benchmark.h>
#include <vips/vips.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "render/png_writer.h"

namespace {
using pixmilter::render::Image;

struct Content {
  const char* name;
  int width;
  int height;
  int bands;
  std::vector<std::uint8_t> pixels;
};

std::uint8_t level(double value) {
  return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

// Smooth shapes, with as much grain as a camera adds.
Content photograph(const char* name, int bands, int grain) {
  Content c{name, 640, 480, bands, {}};
  std::mt19937 random(1);
  for (int y = 0; y < c.height; ++y)
    for (int x = 0; x < c.width; ++x)
      for (int band = 0; band < bands; ++band)
        c.pixels.push_back(level(
            128 + 90 * std::sin(x / 37.0 + y / 91.0 + band) +
            (grain ? static_cast<int>(random() % (2u * static_cast<unsigned>(grain) + 1)) - grain : 0)));
  return c;
}

// Lines and words, as a plotting program draws them.
Content chart() {
  std::string svg =
      "<svg xmlns='http://www.w3.org/2000/svg' width='800' height='500'><rect width='800' height='500' "
      "fill='#fff'/>";
  for (int i = 0; i < 60; ++i) {
    char element[300];
    std::snprintf(element, sizeof element,
                  "<line x1='%d' y1='%d' x2='%d' y2='%d' stroke='hsl(%d,80%%,40%%)' stroke-width='2'/>"
                  "<text x='%d' y='%d' font-size='12'>label %d</text>",
                  i * 13, 500 - i * 5, i * 13 + 50, i * 97 % 500, i * 6, i * 13, i * 41 % 500, i);
    svg += element;
  }
  svg += "</svg>";
  VipsImage* drawn = nullptr;
  VipsImage* flat = nullptr;
  if (vips_svgload_buffer(svg.data(), svg.size(), &drawn, nullptr) || vips_flatten(drawn, &flat, nullptr))
    std::abort();
  std::size_t size = 0;
  void* memory = vips_image_write_to_memory(flat, &size);
  Content c{"chart", flat->Xsize, flat->Ysize, flat->Bands, {}};
  c.pixels.assign(static_cast<std::uint8_t*>(memory), static_cast<std::uint8_t*>(memory) + size);
  g_free(memory);
  g_object_unref(flat);
  g_object_unref(drawn);
  return c;
}

Content flat() {
  Content c{"flat", 640, 480, 3, {}};
  for (int y = 0; y < c.height; ++y)
    for (int x = 0; x < c.width; ++x)
      for (int band = 0; band < 3; ++band)
        c.pixels.push_back(static_cast<std::uint8_t>((x / 40 * 7 + y / 30 * 3) % 13 * 19 + band));
  return c;
}

std::vector<std::uint8_t> filtered(const Content& c, bool up) {
  const std::size_t row = static_cast<std::size_t>(c.width * c.bands);
  std::vector<std::uint8_t> out;
  for (int y = 0; y < c.height; ++y) {
    const std::uint8_t* here = c.pixels.data() + static_cast<std::size_t>(y) * row;
    out.push_back(up ? 2 : 0);
    for (std::size_t i = 0; i < row; ++i)
      out.push_back(static_cast<std::uint8_t>(here[i] - (up && y > 0 ? here[i - row] : 0)));
  }
  return out;
}

void fixed_way(benchmark::State& state, const Content& c, bool up, int level, int strategy) {
  std::size_t size = 0;
  for (auto _ : state) {
    const std::vector<std::uint8_t> rows = filtered(c, up);
    std::vector<std::uint8_t> out(rows.size() + rows.size() / 8 + 1000);
    z_stream stream{};
    deflateInit2(&stream, level, Z_DEFLATED, 15, 9, strategy);
    stream.next_in = const_cast<Bytef*>(rows.data());
    stream.avail_in = static_cast<uInt>(rows.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    size = stream.total_out;
    deflateEnd(&stream);
  }
  state.counters["kB"] = static_cast<double>(size) / 1000;
}

Image image_of(const Content& c) {
  auto image = pixmilter::render::borrow_pixels(c.pixels.data(), static_cast<std::uint32_t>(c.width),
                                                static_cast<std::uint32_t>(c.height),
                                                static_cast<std::uint32_t>(c.bands));
  return std::move(*image);
}

void our_writer(benchmark::State& state, const Content& c) {
  std::size_t size = 0;
  for (auto _ : state) {
    const Image image = image_of(c);
    auto png = pixmilter::render::write_png(image.get(), {});
    size = png ? png->size() : 0;
  }
  state.counters["kB"] = static_cast<double>(size) / 1000;
}

void libvips(benchmark::State& state, const Content& c, int level) {
  std::size_t size = 0;
  for (auto _ : state) {
    const Image image = image_of(c);
    void* memory = nullptr;
    if (vips_pngsave_buffer(image.get(), &memory, &size, "compression", level, nullptr)) std::abort();
    g_free(memory);
  }
  state.counters["kB"] = static_cast<double>(size) / 1000;
}

}  // namespace

int main(int argc, char** argv) {
  if (VIPS_INIT(argv[0])) return 70;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  static const std::vector<Content> contents = {photograph("photo", 3, 6), photograph("smooth", 3, 0),
                                                photograph("gray photo", 1, 6), chart(), flat()};
  struct Way {
    const char* name;
    int level;
    int strategy;
  };
  static constexpr Way kWays[] = {{"level 1", 1, Z_DEFAULT_STRATEGY},
                                  {"level 4", 4, Z_DEFAULT_STRATEGY},
                                  {"level 6", 6, Z_DEFAULT_STRATEGY},
                                  {"level 9", 9, Z_DEFAULT_STRATEGY},
                                  {"runs", 1, Z_RLE},
                                  {"codes only", 1, Z_HUFFMAN_ONLY}};
  for (const Content& c : contents) {
    const auto add = [&](const std::string& way, auto run) {
      benchmark::RegisterBenchmark((std::string(c.name) + "/" + way).c_str(), run)
          ->Unit(benchmark::kMillisecond);
    };
    for (const bool up : {false, true})
      for (const Way& way : kWays)
        add(std::string(up ? "up, " : "none, ") + way.name,
            [&c, up, way](benchmark::State& state) { fixed_way(state, c, up, way.level, way.strategy); });
    for (const int level : {1, 6})
      add("libvips level " + std::to_string(level),
          [&c, level](benchmark::State& state) { libvips(state, c, level); });
    add("writer", [&c](benchmark::State& state) { our_writer(state, c); });
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
