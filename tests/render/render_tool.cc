// Renders pictures in this process, for tests: without mail, worker or seal around render_picture.
//
// One picture: render_tool TYPE [name=value]... <bytes >picture. TYPE is a media type; only the raw forms
// need a true one, the rest is sniffed. Names are parameters of the raw forms, or settings with "set:"
// before them. Exit 0 with the picture on stdout, or 1 with "status: reason" on stderr.
//
// TYPE may also name what the front does with encoded pictures: "strip" (with set:strip=gps or all; gives the
// bytes back where there is nothing to take out) and "header" (gives no bytes; alpha, bits, cmyk and location
// are in the reason).
//
// "make" turns a picture into one of those formats that Pillow does not write: set:as=heic, avif, jxl or jp2.
//
// Many: render_tool --batch. A job on stdin is a line "SIZE<TAB>TYPE[<TAB>name=value]...", then SIZE bytes;
// its answer a line "STATUS<TAB>MICROSECONDS<TAB>PEAK_KB<TAB>SIZE<TAB>FORMAT<TAB>WIDTH<TAB>HEIGHT<TAB>FRAMES
// <TAB>REASON", then SIZE bytes. MICROSECONDS are the processor's, of all threads: how long the machine did
// something else meanwhile says nothing of a picture. PEAK_KB is the most memory the process held during the
// job.
#include <time.h>
#include <vips/vips.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "image/header.h"
#include "image/metadata.h"
#include "image/npy.h"
#include "image/raw_params.h"
#include "render/picture.h"

namespace {
using namespace pixmilter;

image::ImageResult refuse(std::string reason) {
  image::ImageResult result;
  result.status = image::Status::refused;
  result.reason = std::move(reason);
  return result;
}

bool apply(const std::string& name, const std::string& value, image::ImageJob& job) {
  using namespace image;
  RenderSettings& s = job.settings;
  const auto number = [&] { return std::strtoull(value.c_str(), nullptr, 10); };
  const auto word = [&](auto& out, std::initializer_list<const char*> words) {
    int index = 0;
    for (const char* known : words) {
      if (value == known) {
        out = static_cast<std::remove_reference_t<decltype(out)>>(index);
        return true;
      }
      ++index;
    }
    return false;
  };
  if (name == "format") return word(s.format, {"auto", "png", "jpeg", "gif"});
  if (name == "resize") return word(s.resize, {"none", "fit", "fill", "force"});
  if (name == "quality") return s.quality = static_cast<std::uint8_t>(number()), true;
  if (name == "lossy") return s.lossy_allowed = number() != 0, true;
  if (name == "width") return s.width = static_cast<std::uint32_t>(number()), true;
  if (name == "height") return s.height = static_cast<std::uint32_t>(number()), true;
  if (name == "enlarge") return s.enlarge = number() != 0, true;
  if (name == "max_bytes") return s.max_bytes = number(), true;
  if (name == "min_side") return s.min_side = static_cast<std::uint32_t>(number()), true;
  if (name == "svg_scale") return s.svg_scale = std::strtod(value.c_str(), nullptr), true;
  if (name == "page") return s.page = static_cast<std::uint32_t>(number()), true;
  if (name == "max_pixels") return job.limits.max_pixels = number(), true;
  if (name == "max_frames") return job.limits.max_frames = static_cast<std::uint32_t>(number()), true;
  if (name == "max_side") return job.limits.max_side = static_cast<std::uint32_t>(number()), true;
  if (name == "max_output_bytes") return job.limits.max_output_bytes = number(), true;
  return false;
}

image::ImageResult strip(const std::vector<std::string>& options, std::string_view bytes) {
  const bool all = !options.empty() && options[0] == "set:strip=all";
  auto stripped = image::strip_metadata(bytes, all ? image::Strip::all : image::Strip::gps);
  if (!stripped) return refuse(stripped.error().text);
  image::ImageResult result;
  result.status = image::Status::ok;
  result.format = image::sniff(bytes);
  result.reason = *stripped ? "changed" : "unchanged";
  result.bytes = *stripped ? std::move(**stripped) : std::string(bytes);
  return result;
}

image::ImageResult header(std::string_view bytes) {
  const auto header = image::read_header(bytes);
  if (!header) return refuse(header.error().text);
  image::ImageResult result;
  result.status = image::Status::ok;
  result.format = header->format;
  result.width = header->width;
  result.height = header->height;
  result.frames = header->frames;
  result.reason = "bits=" + std::to_string(header->bits) + (header->alpha ? " alpha" : "") +
                  (header->cmyk ? " cmyk" : "") + (image::has_location(bytes) ? " location" : "");
  return result;
}

image::ImageResult make(const std::vector<std::string>& options, std::string_view bytes) {
  const std::string as = options.empty() ? "" : options[0];
  VipsImage* image = vips_image_new_from_buffer(bytes.data(), bytes.size(), "", nullptr);
  if (!image) return refuse(vips_error_buffer());
  void* data = nullptr;
  std::size_t size = 0;
  int failed = -1;
  if (as == "set:as=heic")
    failed = vips_heifsave_buffer(image, &data, &size, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_HEVC, "Q",
                                  90, nullptr);
  else if (as == "set:as=avif")
    failed = vips_heifsave_buffer(image, &data, &size, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1,
                                  "effort", 2, "Q", 90, nullptr);
  else if (as == "set:as=jxl")
    failed = vips_jxlsave_buffer(image, &data, &size, "lossless", TRUE, nullptr);
  else if (as == "set:as=jp2")
    failed = vips_jp2ksave_buffer(image, &data, &size, "lossless", TRUE, nullptr);
  g_object_unref(image);
  if (failed) return refuse(vips_error_buffer());
  image::ImageResult result;
  result.status = image::Status::ok;
  result.bytes.assign(static_cast<const char*>(data), size);
  result.format = image::sniff(result.bytes);
  g_free(data);
  return result;
}

image::ImageResult run(const std::string& type, const std::vector<std::string>& options,
                       std::string_view bytes) {
  if (type == "strip") return strip(options, bytes);
  if (type == "header") return header(bytes);
  if (type == "make") return make(options, bytes);
  image::ImageJob job;
  job.bytes = bytes;
  image::Parameters parameters;
  for (const std::string& option : options) {
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos) return refuse("no name=value: " + option);
    const std::string name = option.substr(0, equals);
    const std::string value = option.substr(equals + 1);
    if (!name.starts_with("set:"))
      parameters.emplace_back(name, value);
    else if (!apply(name.substr(4), value, job))
      return refuse("unknown setting " + option);
  }
  const bool raw = ascii::iequals(type, "image/x-raw-pixels");
  const bool npy = ascii::iequals(type, "application/x-npy");
  if (raw || npy) {
    Result<image::RawLayout> layout =
        raw ? image::read_raw_layout(parameters, bytes) : image::read_npy(bytes);
    if (!layout) return refuse(layout.error().text);
    job.layout = *layout;
    job.format = raw ? image::Format::raw : image::Format::npy;
    if (auto status = image::read_raw_settings(parameters, job.settings); !status)
      return refuse(status.error().text);
  } else {
    job.format = image::sniff(bytes);
  }
  return render::render_picture(job);
}

// The kernel's mark of the most memory held, in kB, and a way to lower it to what is held now.
long peak_kb() {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  long kb = 0;
  char line[256];
  while (file && std::fgets(line, sizeof line, file))
    if (std::sscanf(line, "VmHWM: %ld", &kb) == 1) break;
  if (file) std::fclose(file);
  return kb;
}
void reset_peak() {
  if (std::FILE* file = std::fopen("/proc/self/clear_refs", "w")) {
    std::fputs("5", file);
    std::fclose(file);
  }
}

long long processor_microseconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return spent.tv_sec * 1'000'000LL + spent.tv_nsec / 1000;
}

int batch() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::vector<std::string> fields;
    for (std::size_t at = 0;;) {
      const std::size_t tab = line.find('\t', at);
      fields.push_back(line.substr(at, tab - at));
      if (tab == std::string::npos) break;
      at = tab + 1;
    }
    std::string bytes(std::strtoull(fields[0].c_str(), nullptr, 10), '\0');
    if (fields.size() < 2 || !std::cin.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
      return 64;
    reset_peak();
    const auto start = processor_microseconds();
    const image::ImageResult result = run(fields[1], {fields.begin() + 2, fields.end()}, bytes);
    const auto spent = processor_microseconds() - start;
    std::cout << image::name(result.status) << '\t' << spent << '\t' << peak_kb() << '\t'
              << result.bytes.size() << '\t' << image::name(result.format) << '\t' << result.width << '\t'
              << result.height << '\t' << result.frames << '\t' << result.reason << '\n'
              << result.bytes << std::flush;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // As the render program sets them before libvips starts.
  setenv("VIPS_NOVECTOR", "1", 1);
  setenv("VIPS_DISC_THRESHOLD", "1000000m", 1);
  if (VIPS_INIT(argv[0])) return 70;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  g_log_set_default_handler([](const char*, GLogLevelFlags, const char*, void*) {}, nullptr);
  std::ios::sync_with_stdio(false);
  if (argc == 2 && std::strcmp(argv[1], "--batch") == 0) return batch();
  if (argc < 2) return 64;
  const std::string bytes(std::istreambuf_iterator<char>(std::cin), {});
  const image::ImageResult result = run(argv[1], {argv + 2, argv + argc}, bytes);
  if (result.status != image::Status::ok) {
    std::cerr << image::name(result.status) << ": " << result.reason << '\n';
    return 1;
  }
  std::cout << result.bytes;
  return 0;
}
