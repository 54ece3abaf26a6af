// The cache: what a picture costs that was rendered before, and the same 1080p raw picture in many messages
// with and without it, in turn, in one process (beside the render workers), so that the ratio is one of
// equals.
//
// SameRaw1080p/10000 is the whole of it and takes minutes; it runs when PIXMILTER_BENCH_FULL is set.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "base/base64.h"
#include "core/pipeline.h"
#include "core/services.h"
#include "mail/mime_tree.h"
#include "source/cache.h"
#include "worker/configured.h"
#include "worker/launcher.h"
#include "worker/pool.h"

namespace {

using namespace pixmilter;

constexpr std::uint32_t kWidth = 1920;
constexpr std::uint32_t kHeight = 1080;

// Gradients and grain: pixels as a camera has them, more or less.
std::string pixels() {
  std::mt19937 random(1);
  std::string bytes;
  bytes.reserve(std::size_t{kWidth} * kHeight * 3);
  for (std::uint32_t y = 0; y < kHeight; ++y)
    for (std::uint32_t x = 0; x < kWidth; ++x)
      for (const std::uint32_t value : {x * 243 / kWidth, y * 243 / kHeight, (x + y) * 243 / 3000})
        bytes.push_back(static_cast<char>(value + random() % 12));
  return bytes;
}

std::string raw_message() {
  std::string text =
      "From: a@example.org\r\nTo: b@example.org\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/x-raw-pixels; width=" +
      std::to_string(kWidth) + "; height=" + std::to_string(kHeight) +
      "; bands=3; format=uchar\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  base64::encode_lines(pixels(), "\r\n", text);
  return text + "--b--\r\n";
}

mail::Envelope local() {
  mail::Envelope envelope;
  envelope.local = true;
  envelope.sender = "a@example.org";
  return envelope;
}

// messages with the cache; twenty times in between, one without.
void same_raw_1080p(benchmark::State& state) {
  mail::initialise_mime();
  const config::Settings settings;
  worker::RenderProgram program = worker::render_program(settings.render);
  program.path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../../pixmilter-render";
  worker::Pool pool(worker::pool_options(settings.render), worker::child_zygotes(program));
  const auto cache = source::make_cache(settings.cache);
  core::Services services(pool);
  const core::Pipeline without(settings, services);
  services.cache = cache.get();
  const core::Pipeline with(settings, services);
  const std::string text = raw_message();
  const mail::Envelope envelope = local();
  const auto timed = [&](const core::Pipeline& pipeline) {
    const auto start = Clock::now();
    const mail::Message message(text);
    const core::Outcome outcome = pipeline.run(message, envelope, Deadline());
    if (!outcome.changed()) state.SkipWithError(outcome.summary.c_str());
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  timed(without);  // workers are warm
  const auto messages = static_cast<std::size_t>(state.range(0));
  double with_cache = 0, without_cache = 0;
  std::size_t cached = 0, rendered = 0;
  for (auto _ : state) {
    if (cached % (messages / 20) == 0) {
      without_cache += timed(without);
      ++rendered;
    }
    const double taken = timed(with);
    with_cache += taken;
    ++cached;
    state.SetIterationTime(taken);
  }
  const double each_with = with_cache / static_cast<double>(cached);
  const double each_without = without_cache / static_cast<double>(rendered);
  state.counters["ms_with"] = each_with * 1e3;
  state.counters["ms_without"] = each_without * 1e3;
  state.counters["ratio"] = each_without / each_with;
  state.counters["renders"] = static_cast<double>(cache->counters().misses);
}

void register_same_raw_1080p(std::int64_t messages) {
  benchmark::RegisterBenchmark("SameRaw1080p", same_raw_1080p)
      ->Arg(messages)
      ->Iterations(messages)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

const bool kRegistered = [] {
  register_same_raw_1080p(100);
  if (std::getenv("PIXMILTER_BENCH_FULL") != nullptr) register_same_raw_1080p(10'000);
  return true;
}();

}  // namespace
