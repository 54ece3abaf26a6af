// The whole pipeline in one process beside the render workers: from a message's bytes to the new message,
// verified; no MTA and no libmilter. What a milter adds to this is what run.py measures. Names of files are
// taken as further messages.
//
//   changed   whether the message becomes another one: 1 or 0
#include <benchmark/benchmark.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "base/quoted_printable.h"
#include "core/pipeline.h"
#include "core/services.h"
#include "mail/mime_tree.h"
#include "workbench.h"
#include "worker/pool.h"

namespace {

using namespace pixmilter;

constexpr std::string_view kHeader =
    "From: a@example.org\r\nTo: b@example.org\r\nSubject: figures\r\nDate: Mon, 02 Mar 2026 10:00:00 "
    "+0000\r\n"
    "Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n";

std::string lines_of(std::string_view bytes) {
  std::string lines;
  base64::encode_lines(bytes, "\r\n", lines);
  return lines;
}

std::string rows(std::size_t size, std::string_view between) {
  std::string html = "<html><body><table>\r\n";
  for (std::size_t i = 0; html.size() < size; ++i)
    html += "<tr><td style=\"font-family: Arial, sans-serif; font-size: 14px; color: #333333;\">Figure " +
            std::to_string(i) + " of the quarter: <a href=\"https://example.org/\">more</a></td></tr>\r\n";
  return html + std::string(between) + "</table></body></html>\r\n";
}

std::string html_message(const std::string& html) {
  std::string text = std::string(kHeader) +
                     "Content-Type: text/html; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
  quoted_printable::encode_text(html, "\r\n", text);
  return text;
}

std::string attached(std::string_view type, std::string_view lines) {
  return std::string(kHeader) + "Content-Type: multipart/mixed; boundary=\"=_m\"\r\n\r\n--=_m\r\n" +
         "Content-Type: text/plain\r\n\r\nAs agreed.\r\n\r\n--=_m\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + std::string(lines) + "\r\n--=_m--\r\n";
}

class Fixture {
 public:
  Fixture()
      : pool_(worker::pool_options(settings_.render),
              worker::child_zygotes(bench::built_render_program(settings_.render))),
        services_(pool_) {
    mail::initialise_mime();
    envelope_.local = true;
    envelope_.sender = "a@example.org";
  }

  void run(benchmark::State& state, const std::string& text) {
    const core::Pipeline pipeline(settings_, services_);
    bool changed = false;
    for (auto _ : state) {
      const mail::Message message(text);
      const core::Outcome outcome = pipeline.run(message, envelope_, Deadline());
      benchmark::DoNotOptimize(outcome.summary.data());
      changed = outcome.changed();
    }
    state.counters["changed"] = changed ? 1 : 0;
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                            static_cast<std::int64_t>(text.size()));
  }

  // A PNG of these pixels: what the pipeline makes of them.
  std::string png(std::uint32_t width, std::uint32_t height, unsigned seed) {
    const std::string samples = bench::camera_pixels(width, height, seed);
    const image::ImageJob job = bench::raw_job(samples, width, height);
    return pool_.render(std::span(&job, 1), Deadline()).front().bytes;
  }

 private:
  const config::Settings settings_;
  worker::Pool pool_;
  core::Services services_;
  mail::Envelope envelope_;
};

std::string content_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) std::exit((std::fprintf(stderr, "pipeline_bench: %s: %s\n", path, std::strerror(errno)), 66));
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string image_element(const std::string& png) {
  std::string uri = "<img src=\"data:image/png;base64,";
  base64::encode(png, uri);
  return uri + "\" width=\"200\" alt=\"figure\">\r\n";
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  Fixture fixture;
  const auto add = [&](const char* name, std::string text) {
    benchmark::RegisterBenchmark(
        name, [&fixture, text = std::move(text)](benchmark::State& state) { fixture.run(state, text); })
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
  };
  add("Plain4k", std::string(kHeader) + "\r\n" + rows(4'000, ""));
  add("Html20kNoPicture", html_message(rows(20'000, "")));
  add("Attachment1M",
      attached("application/pdf; name=\"a.pdf\"", lines_of(bench::camera_pixels(640, 480, 1))));
  add("DataPng50k", html_message(rows(20'000, image_element(fixture.png(130, 130, 1)))));
  std::string pictures;
  for (unsigned i = 0; i < 12; ++i) pictures += image_element(fixture.png(100, 60, i));
  add("Newsletter12", html_message(rows(80'000, pictures)));
  add("DataPng3M", html_message(rows(20'000, image_element(fixture.png(1200, 900, 1)))));
  for (const auto& [width, height] : {std::pair(640U, 480U), std::pair(1920U, 1080U)})
    add(("Raw" + std::to_string(width) + "x" + std::to_string(height)).c_str(),
        attached("image/x-raw-pixels; width=" + std::to_string(width) + "; height=" + std::to_string(height) +
                     "; bands=3; format=uchar",
                 lines_of(bench::camera_pixels(width, height, 1))));
  for (int i = 1; i < argc; ++i) add(argv[i], content_of(argv[i]));
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
