#include "core/image_facts.h"

#include <cmath>
#include <string>
#include <utility>

#include "image/format.h"
#include "image/metadata.h"

namespace pixmilter::core {
namespace {

// Formats that carry Exif or XMP which we do not read: whether they say where they were taken is not known.
bool may_hide_location(image::Format format) {
  switch (format) {
    case image::Format::webp:
    case image::Format::tiff:
    case image::Format::heif:
    case image::Format::avif:
    case image::Format::jxl:
    case image::Format::jp2:
      return true;
    default:
      return false;
  }
}

}  // namespace

ImageFacts image_facts(const Work& work, const Finding& finding, const Picture& picture,
                       bool location_matters) {
  const image::ImageJob& job = picture.job;
  ImageFacts facts;
  facts.source = finding.source;
  facts.type = job.format == image::Format::raw   ? "image/x-raw-pixels"
               : job.format == image::Format::npy ? "application/x-npy"
                                                  : std::string(image::media_type(job.format));
  if (!job.bytes.empty()) facts.bytes = job.bytes.size();
  facts.attachment = finding.attachment;
  if (job.format == image::Format::raw || job.format == image::Format::npy) {
    facts.width = job.layout.width;
    facts.height = job.layout.height;
    facts.frames = job.layout.frames;
    facts.alpha = job.layout.bands == 2 || job.layout.bands == 4;
    facts.gps = false;
  } else if (finding.source == Source::svg) {
    // As large as it is shown, as for one in a data: URI. One that could not be read has no size.
    const auto& drawn = work.texts[finding.html].svgs;
    if (const auto found = drawn.find(finding.reference); found != drawn.end()) {
      facts.width = static_cast<std::uint32_t>(std::lround(found->second.width));
      facts.height = static_cast<std::uint32_t>(std::lround(found->second.height));
      facts.frames = 1;
      facts.alpha = true;
      facts.gps = false;
    }
  } else if (picture.header) {
    facts.width = picture.header->width;
    facts.height = picture.header->height;
    if (picture.header->on_its_side) std::swap(facts.width, facts.height);
    facts.frames = picture.header->frames;
    facts.alpha = picture.header->alpha;
    if (location_matters && !may_hide_location(job.format)) facts.gps = image::has_location(job.bytes);
  }
  return facts;
}

}  // namespace pixmilter::core
