#include "render/warm_up.h"

#include <vips/vips.h>

#include <algorithm>
#include <clocale>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <iterator>
#include <string_view>
#include <thread>

#include "image/job.h"
#include "render/picture.h"
#include "render/warm_up_samples.h"

namespace pixmilter::render {

using image::Format;
using image::ImageJob;
using worker::wire::Purpose;

namespace {

// What [render] loaders calls it, the formats, and the family of libvips classes that loads them.
struct Loader {
  std::string_view word;
  const char* family;
  std::initializer_list<Format> formats;
};
const Loader kLoaders[] = {
    {"png", "VipsForeignLoadPng", {Format::png}},
    {"jpeg", "VipsForeignLoadJpeg", {Format::jpeg}},
    {"gif", "VipsForeignLoadNsgif", {Format::gif}},
    {"webp", "VipsForeignLoadWebp", {Format::webp}},
    {"tiff", "VipsForeignLoadTiff", {Format::tiff}},
    {"heif", "VipsForeignLoadHeif", {Format::heif, Format::avif}},
    {"svg", "VipsForeignLoadSvg", {Format::svg}},
    {"jxl", "VipsForeignLoadJxl", {Format::jxl}},
    {"jp2", "VipsForeignLoadJp2k", {Format::jp2}},
};

// Read by our own code, so not for [render] loaders to say.
constexpr Format kOwnReaders[] = {Format::bmp, Format::pnm, Format::pfm,
                                  Format::pam, Format::npy, Format::raw};

// Text in each generic family and style, so that fontconfig reads its caches and the usual fonts get
// mapped; a filter; an embedded picture, for which GdkPixbuf reads its table of types.
constexpr std::string_view kSvgSamples[] = {
    R"(<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><path d="M0 0h1v1z"/></svg>)",
    R"svg(<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="600" height="400">
<defs><linearGradient id="g"><stop stop-color="red"/><stop offset="1" stop-color="blue"/></linearGradient>
<filter id="f"><feGaussianBlur stdDeviation="2"/></filter></defs>
<rect width="600" height="400" fill="url(#g)" filter="url(#f)"/>
<g font-size="20">
<text y="30" font-family="sans-serif">Aa1 &#228;&#246;&#252; &#1046; &#937; &#1488; &#1576; &#2325; &#3585;
&#20013;&#25991; &#12354; &#54620; &#128512; &#8364; &#8594; &#8721;</text>
<text y="60" font-family="serif" font-style="italic">Serif italic</text>
<text y="90" font-family="monospace">Monospace</text>
<text y="120" font-family="sans-serif" font-weight="bold">Bold <tspan font-style="italic">both</tspan></text>
<text y="150" font-family="serif" font-weight="bold">Serif bold</text>
<text y="180" font-family="serif">Serif</text>
<text y="210" font-family="monospace" font-weight="bold">Monospace bold</text>
<text y="240" font-family="Arial, Helvetica">Arial</text>
<text y="270" font-family="Times New Roman">Times</text>
<text y="300" font-family="no such family">None</text>
</g>
<image width="8" height="8" xlink:href="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII="/>
</svg>)svg",
};

bool renders(Format format, std::string_view bytes, image::OutputFormat output) {
  ImageJob job;
  job.format = format;
  job.bytes = bytes;
  job.settings.format = output;
  return render_picture(job).status == image::Status::ok;
}

}  // namespace

std::set<Format> choose_loaders(Purpose purpose, const Options& options) {
  vips_operation_block_set("VipsForeignLoad", TRUE);
  vips_operation_block_set("VipsForeignSave", TRUE);
  for (const char* saver : {"VipsForeignSavePng", "VipsForeignSaveJpeg", "VipsForeignSaveCgif"})
    vips_operation_block_set(saver, FALSE);
  std::set<Format> formats;
  if (purpose == Purpose::picture) formats.insert(std::begin(kOwnReaders), std::end(kOwnReaders));
  for (const Loader& loader : kLoaders) {
    const bool wanted =
        std::find(options.loaders.begin(), options.loaders.end(), loader.word) != options.loaders.end();
    const bool ours = worker::wire::purpose_of(*loader.formats.begin()) == purpose;
    if (!wanted || !ours) continue;
    vips_operation_block_set(loader.family, FALSE);
    formats.insert(loader.formats);
  }
  return formats;
}

void warm_up(std::set<Format>& formats) {
  ::tzset();
  std::setlocale(LC_ALL, "");
  // A process's first thread makes glibc take a signal, which the seal forbids.
  std::thread([] {}).join();
  // The first qsort() of more than a kilobyte makes glibc ask how much memory there is, which it forbids too.
  std::uint16_t numbers[1024] = {};
  std::qsort(numbers, std::size(numbers), sizeof *numbers, [](const void* a, const void* b) {
    return *static_cast<const std::uint16_t*>(a) - *static_cast<const std::uint16_t*>(b);
  });
  std::set<Format> failed;
  for (const WarmUpSample& sample : warm_up_samples())
    if (formats.contains(sample.format) &&
        !renders(sample.format, sample.bytes, image::OutputFormat::automatic))
      failed.insert(sample.format);
  if (formats.contains(Format::svg))
    for (const std::string_view svg : kSvgSamples)
      if (!renders(Format::svg, svg, image::OutputFormat::automatic)) failed.insert(Format::svg);
  for (const Format format : failed) formats.erase(format);
  // Encoders of what comes out, whatever goes in.
  static constexpr std::string_view kPixels = "pixmilter RGB pixels";
  ImageJob job;
  job.format = Format::raw;
  job.layout.width = 2;
  job.layout.height = 2;
  job.layout.bands = 3;
  job.bytes = kPixels;
  for (const auto output : {image::OutputFormat::png, image::OutputFormat::jpeg, image::OutputFormat::gif}) {
    job.settings.format = output;
    static_cast<void>(render_picture(job));
  }
}

}  // namespace pixmilter::render
