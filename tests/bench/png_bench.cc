// What filter, level and strategy cost and give for PNG: the figures behind src/render/png_strategy.cc.
//
// Each benchmark's name is content / way; the counter "kB" is the size of the file (1000 bytes). "writer" is
// ours, which chooses for itself, "hurried" when time is short; "libvips" is vips_pngsave; "FILTER, runs" is
// src/render/run_deflate.h after a filter; the others deflate all rows in one fixed way.
#include <benchmark/benchmark.h>
#include <libdeflate.h>
#include <vips/vips.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "render/png_filter.h"
#include "render/png_writer.h"
#include "render/run_deflate.h"

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

// What tests/bench/workloads.py sends: waves, edges and grain.
Content frame(int width, int height) {
  Content c{width > 1000 ? "frame 1080p" : "frame", width, height, 3, {}};
  std::mt19937 random(2);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int band = 0; band < 3; ++band) {
        const bool lit =
            (static_cast<long>(x) * height + static_cast<long>(y) * width) % (width * height / 2) >
            width * height / 4;
        c.pixels.push_back(level(128 +
                                 60 * std::sin((x / (37.0 + 5 * band) + 1) * 400 / width) *
                                     std::cos(y * 130.0 / height / (7 + band)) +
                                 40 * lit + static_cast<int>(random() % 13) - 6));
      }
  return c;
}

// From one colour to another, dithered by nothing.
Content gradient() {
  Content c{"gradient", 640, 480, 3, {}};
  for (int y = 0; y < c.height; ++y)
    for (int x = 0; x < c.width; ++x)
      for (const int value : {x * 255 / c.width, y * 255 / c.height, (x + y) * 255 / (c.width + c.height)})
        c.pixels.push_back(static_cast<std::uint8_t>(value));
  return c;
}

// Whatever libvips made, without its alpha.
Content content_of(const char* name, VipsImage* loaded) {
  VipsImage* flat = nullptr;
  if (vips_flatten(loaded, &flat, nullptr)) std::abort();
  std::size_t size = 0;
  void* memory = vips_image_write_to_memory(flat, &size);
  Content c{name, flat->Xsize, flat->Ysize, flat->Bands, {}};
  c.pixels.assign(static_cast<std::uint8_t*>(memory), static_cast<std::uint8_t*>(memory) + size);
  g_free(memory);
  g_object_unref(flat);
  g_object_unref(loaded);
  return c;
}

Content drawn(const char* name, std::string svg) {
  VipsImage* image = nullptr;
  if (vips_svgload_buffer(svg.data(), svg.size(), &image, nullptr)) std::abort();
  return content_of(name, image);
}

// A window with a shaded bar, text on white, and a smooth picture.
Content screenshot() {
  std::string svg =
      "<svg xmlns='http://www.w3.org/2000/svg' width='1280' height='800'><defs><linearGradient id='g' x2='1' "
      "y2='1'><stop stop-color='#268'/><stop offset='1' stop-color='#e94'/></linearGradient></defs>"
      "<rect width='1280' height='800' fill='#fff'/><rect width='1280' height='48' fill='url(#g)'/>"
      "<rect x='900' y='80' width='340' height='240' fill='url(#g)'/>";
  for (int i = 0; i < 36; ++i) {
    char line[300];
    std::snprintf(line, sizeof line,
                  "<text x='30' y='%d' font-size='14' fill='#%x%x%x'>Line %d of a text that goes on about %d "
                  "things and then some more, %d in all</text>",
                  80 + i * 20, i % 5, i % 3, i % 7, i, i * 37 % 101, i * i);
    svg += line;
  }
  return drawn("screenshot", svg + "</svg>");
}

// A camera picture that Debian's python3-matplotlib brings, decoded. Nothing where it is not there.
std::vector<Content> camera_picture() {
  VipsImage* image = nullptr;
  if (vips_jpegload("/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg", &image, nullptr)) {
    vips_error_clear();
    return {};
  }
  return {content_of("camera", image)};
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
  return drawn("chart", svg + "</svg>");
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

void runs(benchmark::State& state, const Content& c, pixmilter::render::Filter filter) {
  const std::size_t row = static_cast<std::size_t>(c.width * c.bands);
  const std::vector<std::uint8_t> zeros(row);
  const pixmilter::render::Rows rows{
      c.pixels.data(), row, static_cast<std::uint32_t>(c.height), row, static_cast<std::size_t>(c.bands),
      zeros.data()};
  std::vector<std::uint8_t> filtered(rows.filtered_bytes());
  std::vector<std::uint8_t> out(pixmilter::render::deflate_runs_bound(filtered.size()));
  std::size_t size = 0;
  for (auto _ : state) {
    pixmilter::render::filter_rows(filter, rows, filtered.data());
    size = pixmilter::render::deflate_runs(filtered.data(), filtered.size(), out.data());
  }
  state.counters["kB"] = static_cast<double>(size) / 1000;
}

void libdeflate(benchmark::State& state, const Content& c, bool up, int level) {
  std::size_t size = 0;
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(level);
  for (auto _ : state) {
    const std::vector<std::uint8_t> rows = filtered(c, up);
    std::vector<std::uint8_t> out(libdeflate_zlib_compress_bound(compressor, rows.size()));
    size = libdeflate_zlib_compress(compressor, rows.data(), rows.size(), out.data(), out.size());
  }
  libdeflate_free_compressor(compressor);
  state.counters["kB"] = static_cast<double>(size) / 1000;
}

Image image_of(const Content& c) {
  auto image = pixmilter::render::borrow_pixels(c.pixels.data(), static_cast<std::uint32_t>(c.width),
                                                static_cast<std::uint32_t>(c.height),
                                                static_cast<std::uint32_t>(c.bands));
  return std::move(*image);
}

void our_writer(benchmark::State& state, const Content& c, bool hurried, bool helper) {
  std::size_t size = 0;
  pixmilter::render::PngOptions options;
  options.fastest = hurried;
  options.helper = helper;
  for (auto _ : state) {
    const Image image = image_of(c);
    auto png = pixmilter::render::write_png(image.get(), options);
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
  static std::vector<Content> contents = {frame(640, 480),
                                          frame(1920, 1080),
                                          photograph("photo", 3, 6),
                                          photograph("smooth", 3, 0),
                                          photograph("gray photo", 1, 6),
                                          chart(),
                                          screenshot(),
                                          gradient(),
                                          flat()};
  for (Content& c : camera_picture()) contents.push_back(std::move(c));
  struct Way {
    const char* name;
    int level;
    int strategy;
  };
  static constexpr Way kWays[] = {{"level 1", 1, Z_DEFAULT_STRATEGY}, {"level 4", 4, Z_DEFAULT_STRATEGY},
                                  {"level 6", 6, Z_DEFAULT_STRATEGY}, {"level 9", 9, Z_DEFAULT_STRATEGY},
                                  {"zlib's runs", 1, Z_RLE},          {"codes only", 1, Z_HUFFMAN_ONLY}};
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
    for (const bool up : {false, true})
      for (const int level : {1, 4, 6, 9})
        add(std::string(up ? "up" : "none") + ", libdeflate level " + std::to_string(level),
            [&c, up, level](benchmark::State& state) { libdeflate(state, c, up, level); });
    static constexpr const char* kFilterNames[] = {"none", "sub", "up", "average", "paeth"};
    for (int i = 0; i < pixmilter::render::kFilters; ++i)
      add(std::string(kFilterNames[i]) + ", runs",
          [&c, i](benchmark::State& state) { runs(state, c, static_cast<pixmilter::render::Filter>(i)); });
    add("writer", [&c](benchmark::State& state) { our_writer(state, c, false, true); });
    add("writer, one thread", [&c](benchmark::State& state) { our_writer(state, c, false, false); });
    add("hurried", [&c](benchmark::State& state) { our_writer(state, c, true, true); });
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
