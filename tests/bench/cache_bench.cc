// The cache: the same 1080p raw picture in many messages with and without it, in turn, in one process (beside
// the render workers), so that the ratios are ones of equals. In every benchmark
//
//   picture_with, picture_without, picture_ratio
//       from the picture's pixels to the lines of its part: found and copied, or rendered by a worker and
//       encoded. This is what the cache stands in for.
//   ms_with, ms_without, ratio
//       the whole message of 8.4 MB through the pipeline. Parsing, decoding and hashing it, and putting
//       together and verifying the new one, is done either way.
//   renders
//       pictures that were rendered with the cache on
//
// SameRaw1080p/10000 is the whole of it and takes minutes; it runs when PIXMILTER_BENCH_FULL is set. The
// program exits with 1 where picture_ratio is below 20, or more than one picture was rendered.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/base64.h"
#include "base/hash.h"
#include "core/picture_key.h"
#include "core/pipeline.h"
#include "core/services.h"
#include "mail/mime_tree.h"
#include "source/cache.h"
#include "workbench.h"
#include "worker/configured.h"
#include "worker/pool.h"

namespace {

using namespace pixmilter;

constexpr std::uint32_t kWidth = 1920;
constexpr std::uint32_t kHeight = 1080;
constexpr double kBound = 20;  // of picture_ratio

bool g_missed = false;

// As the pipeline makes it.
image::ImageJob job_of(std::string_view pixels, const config::Settings& settings) {
  image::ImageJob job = bench::raw_job(pixels, kWidth, kHeight);
  job.limits.max_pixels = settings.render.max_pixels;
  job.limits.max_frames = settings.render.max_frames;
  job.settings.min_side = settings.defaults.min_side;
  return job;
}

std::string raw_message(std::string_view pixels) {
  std::string text =
      "From: a@example.org\r\nTo: b@example.org\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/x-raw-pixels; width=" +
      std::to_string(kWidth) + "; height=" + std::to_string(kHeight) +
      "; bands=3; format=uchar\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  base64::encode_lines(pixels, "\r\n", text);
  return text + "--b--\r\n";
}

mail::Envelope local() {
  mail::Envelope envelope;
  envelope.local = true;
  envelope.sender = "a@example.org";
  return envelope;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Messages with the cache; twenty times in between, one without, and the picture alone both ways.
void same_raw_1080p(benchmark::State& state) {
  mail::initialise_mime();
  const config::Settings settings;
  worker::Pool pool(worker::pool_options(settings.render),
                    worker::child_zygotes(bench::built_render_program(settings.render)));
  const auto cache = source::make_cache(settings.cache);
  core::Services services(pool);
  const core::Pipeline without(settings, services);
  services.cache = cache.get();
  const core::Pipeline with(settings, services);
  const std::string samples = bench::camera_pixels(kWidth, kHeight, 1);
  const image::ImageJob job = job_of(samples, settings);
  const Digest key = core::render_key(job, sha256(samples), settings.render);
  const std::string text = raw_message(samples);
  const mail::Envelope envelope = local();
  const auto timed = [&](const core::Pipeline& pipeline) {
    const auto start = Clock::now();
    const mail::Message message(text);
    const core::Outcome outcome = pipeline.run(message, envelope, Deadline());
    if (!outcome.changed()) state.SkipWithError(outcome.summary.c_str());
    return seconds_since(start);
  };
  const auto rendered = [&] {
    const auto start = Clock::now();
    const image::ImageResult result = pool.render(std::span(&job, 1), Deadline()).front();
    std::string lines;
    base64::encode_lines(result.bytes, "\r\n", lines);
    if (result.status != image::Status::ok) state.SkipWithError(result.reason.c_str());
    return seconds_since(start);
  };
  const auto found = [&] {
    const auto start = Clock::now();
    std::string lines;
    const source::CachedPicturePtr picture = cache->find(key, false);
    if (picture)
      source::append_lines(*picture, "\r\n", lines);
    else
      state.SkipWithError("the picture is not found by its key");
    return seconds_since(start);
  };
  timed(without);  // workers are warm
  const auto messages = static_cast<std::size_t>(state.range(0));
  double with_cache = 0, without_cache = 0, picture_with = 0, picture_without = 0;
  std::size_t cached = 0, compared = 0;
  for (auto _ : state) {
    if (cached % (messages / 20) == 0) {
      without_cache += timed(without);
      picture_without += rendered();
      ++compared;
    }
    const double taken = timed(with);
    with_cache += taken;
    ++cached;
    state.SetIterationTime(taken);
    if (cached % (messages / 20) == 0) picture_with += found();
  }
  const double each_with = with_cache / static_cast<double>(cached);
  const double each_without = without_cache / static_cast<double>(compared);
  state.counters["picture_with"] = picture_with / static_cast<double>(compared) * 1e3;
  state.counters["picture_without"] = picture_without / static_cast<double>(compared) * 1e3;
  state.counters["picture_ratio"] = picture_without / picture_with;
  state.counters["ms_with"] = each_with * 1e3;
  state.counters["ms_without"] = each_without * 1e3;
  state.counters["ratio"] = each_without / each_with;
  state.counters["renders"] = static_cast<double>(cache->counters().misses);
  g_missed = g_missed || picture_without < kBound * picture_with || cache->counters().misses != 1;
}

void register_same_raw_1080p(std::int64_t messages) {
  benchmark::RegisterBenchmark("SameRaw1080p", same_raw_1080p)
      ->Arg(messages)
      ->Iterations(messages)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  register_same_raw_1080p(100);
  if (std::getenv("PIXMILTER_BENCH_FULL") != nullptr) register_same_raw_1080p(10'000);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  if (g_missed)
    std::fprintf(stderr, "a picture that was made before costs more than a twentieth, or was made again\n");
  return g_missed ? 1 : 0;
}
