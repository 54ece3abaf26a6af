// What the hop to another process and its seal cost: the same picture by render_picture() within this
// process, and through the pool by a worker that is warm and sealed, in turn; both with the environment of
// workers. In every benchmark
//
//   in_process, worker   medians in microseconds
//   hop                  the median of what a worker took longer than the process did just before: a machine
//                        whose speed wanders does so for both
//
// The bound is 150 microseconds for a picture of 64 x 48. The program exits with 1 where one is over it.
#include <benchmark/benchmark.h>
#include <vips/vips.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "image/job.h"
#include "render/environment.h"
#include "render/picture.h"
#include "worker/pool.h"

namespace {
using namespace pixmilter;

constexpr double kBound = 150;  // microseconds, for the small pictures
// Half a second of a busy machine is not like the next one.
constexpr double kBoundedSeconds = 3;

// Of the small pictures, by name: of the last and longest run, since the library tries shorter ones before.
std::map<std::string, double> g_costs;

struct Picture {
  std::string name;
  std::string bytes;
  image::ImageJob job;
  bool bounded = false;
};

Picture raw(std::uint32_t width, std::uint32_t height, bool bounded) {
  Picture picture{"raw " + std::to_string(width) + "x" + std::to_string(height), {}, {}, bounded};
  auto& layout = picture.job.layout;
  layout.width = width;
  layout.height = height;
  layout.bands = 3;
  picture.job.format = image::Format::raw;
  std::mt19937 random(width);
  // Flat stretches with some grain, so that it is neither free to encode nor dear.
  for (std::uint64_t i = 0; i < layout.pixel_bytes(); ++i)
    picture.bytes += static_cast<char>(i / 48 % 7 * 30 + (random() % 4 == 0 ? 1 : 0));
  return picture;
}

// The same pixels as a file that libvips decodes.
Picture encoded(Picture from, const char* suffix) {
  const auto& layout = from.job.layout;
  VipsImage* image = ::vips_image_new_from_memory_copy(
      from.bytes.data(), from.bytes.size(), static_cast<int>(layout.width), static_cast<int>(layout.height),
      static_cast<int>(layout.bands), VIPS_FORMAT_UCHAR);
  void* buffer = nullptr;
  std::size_t size = 0;
  if (image == nullptr || ::vips_image_write_to_buffer(image, suffix, &buffer, &size, nullptr) != 0)
    std::exit((std::fprintf(stderr, "%s: %s\n", suffix, ::vips_error_buffer()), 1));
  Picture picture{std::string(suffix + 1) + from.name.substr(3), {}, {}, from.bounded};
  picture.bytes.assign(static_cast<const char*>(buffer), size);
  picture.job.format = image::sniff(picture.bytes);
  ::g_free(buffer);
  ::g_object_unref(image);
  return picture;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

template <class Work>
double microseconds(const Work& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun).count();
}

void hop(benchmark::State& state, const Picture& picture, worker::Pool& pool) {
  image::ImageJob job = picture.job;
  job.bytes = picture.bytes;
  const auto within = [&] { return render::render_picture(job); };
  const auto through = [&] { return pool.render(std::span(&job, 1), Deadline::after(Milliseconds(60'000))); };
  const auto there = through().front();
  if (there.bytes != within().bytes)
    return state.SkipWithError(("the results differ: " + there.reason).c_str());
  std::vector<double> in_process;
  std::vector<double> by_worker;
  for (auto _ : state) {
    in_process.push_back(microseconds(within));
    by_worker.push_back(microseconds(through));
    state.SetIterationTime(by_worker.back() / 1e6);
  }
  std::vector<double> costs;
  for (std::size_t i = 0; i < by_worker.size(); ++i) costs.push_back(by_worker[i] - in_process[i]);
  const double cost = median(costs);
  state.counters["in_process"] = median(in_process);
  state.counters["worker"] = median(by_worker);
  state.counters["hop"] = cost;
  if (picture.bounded) g_costs[picture.name] = cost;
}

}  // namespace

int main(int argc, char** argv) {
  // The same libraries under the same conditions on both sides: what is left between them is hop and seal.
  if (!render::has_fixed_environment()) {
    render::start_again(argv);
    std::perror("hop_bench: cannot start again with the environment of workers");
    return 1;
  }
  render::LastWords last_words;
  render::prepare_process(last_words);
  if (!render::start_vips()) return 1;
  worker::PoolOptions options;
  options.workers = 1;
  options.jobs_per_worker = 1'000'000'000;  // none is replaced meanwhile
  worker::RenderProgram program;
  program.path = (std::filesystem::path(argv[0]).parent_path() / "../../pixmilter-render").string();
  worker::Pool pool(options, worker::child_zygotes(program));
  std::vector<Picture> pictures;
  pictures.push_back(raw(64, 48, true));
  pictures.push_back(encoded(raw(64, 48, true), ".png"));
  pictures.push_back(encoded(raw(64, 48, true), ".webp"));
  pictures.push_back(raw(640, 480, false));
  pictures.push_back(raw(1920, 1080, false));
  for (const Picture& picture : pictures)
    benchmark::RegisterBenchmark(("Hop/" + picture.name).c_str(),
                                 [&](benchmark::State& state) { hop(state, picture, pool); })
        ->UseManualTime()
        ->MinTime(picture.bounded ? kBoundedSeconds : 0.5)
        ->Unit(benchmark::kMicrosecond);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  int exit_code = 0;
  for (const auto& [name, cost] : g_costs)
    if (cost > kBound) {
      std::fprintf(stderr, "the hop of %s costs %.0f microseconds, more than %.0f\n", name.c_str(), cost,
                   kBound);
      exit_code = 1;
    }
  return exit_code;
}
