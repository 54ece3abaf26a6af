#include "core/resolve.h"

#include <bit>
#include <map>

#include "image/npy.h"
#include "image/raw_params.h"
#include "source/data_uri.h"

namespace pixmilter::core {
namespace {

// What a picture is told apart by: its source bytes, how they are read and what shall become of them.
Digest key_of(const image::ImageJob& job) {
  const image::RawLayout& layout = job.layout;
  const image::RenderSettings& s = job.settings;
  const auto word = [](auto value) { return static_cast<std::uint64_t>(value); };
  Hasher hasher;
  hasher.field(job.bytes).field(word(job.format));
  for (const std::uint64_t value : {word(layout.width),
                                    word(layout.height),
                                    word(layout.bands),
                                    word(layout.frames),
                                    word(layout.format),
                                    word(layout.big_endian),
                                    word(layout.planar),
                                    word(layout.fortran_order),
                                    layout.offset,
                                    word(s.format),
                                    word(s.quality),
                                    word(s.lossy_allowed),
                                    word(s.resize),
                                    word(s.width),
                                    word(s.height),
                                    word(s.enlarge),
                                    s.max_bytes,
                                    word(s.min_side),
                                    word(s.colormap),
                                    word(s.range.kind),
                                    std::bit_cast<std::uint64_t>(s.range.low),
                                    std::bit_cast<std::uint64_t>(s.range.high),
                                    std::bit_cast<std::uint64_t>(s.fps),
                                    std::bit_cast<std::uint64_t>(s.svg_scale),
                                    word(s.page)})
    hasher.field(value);
  return hasher.finish();
}

class Resolver {
 public:
  Resolver(Work& work, const config::Settings& settings) : work_(work) {
    limits_.max_pixels = settings.render.max_pixels;
    limits_.max_frames = settings.render.max_frames;
  }

  void resolve(Finding& finding) {
    Picture picture;
    const Status found =
        finding.html != Finding::kNone ? from_reference(finding, picture) : from_part(finding, picture);
    if (!found) {
      finding.status = image::Status::refused;
      finding.reason = found.error().text;
      return;
    }
    finding.format = picture.job.format;
    finding.bytes_before = picture.job.bytes.size();
    picture.job.limits = limits_;
    const auto [at, is_new] = known_.try_emplace(key_of(picture.job), work_.pictures.size());
    finding.picture = at->second;
    if (!is_new) return;
    // Moved before the view is taken: short strings hold their bytes in themselves.
    Picture& kept = work_.pictures.emplace_back(std::move(picture));
    if (!kept.storage.empty()) kept.job.bytes = kept.storage;
  }

 private:
  Status from_reference(const Finding& finding, Picture& picture) {
    const html::Reference& reference = work_.texts[finding.html].scan.references[finding.reference];
    if (finding.source != Source::data) return Error{"source is not served"};
    std::string scratch;
    Result<source::DataUri> data = source::read_data_uri(html::url(reference, scratch));
    if (!data) return data.error();
    picture.storage = std::move(data->bytes);
    picture.job.bytes = picture.storage;
    return sniff(picture);
  }

  Status from_part(const Finding& finding, Picture& picture) {
    const mail::Part& part = work_.tree[finding.part];
    if (part.encoding == mail::Encoding::unknown) return Error{"unknown Content-Transfer-Encoding"};
    if (part.encoding == mail::Encoding::base64 || part.encoding == mail::Encoding::quoted_printable) {
      picture.storage = mail::decoded_body(work_.message, part);
      picture.job.bytes = picture.storage;
    } else {
      picture.job.bytes = std::string_view(work_.message.bytes()).substr(part.body.begin, part.body.size());
    }
    if (picture.job.bytes.empty()) return Error{"empty"};
    const bool raw = part.type == "image/x-raw-pixels";
    if (!raw && part.type != "application/x-npy") {
      if (Status sniffed = sniff(picture); !sniffed) return sniffed;
      if (image::shown_everywhere(picture.job.format)) return Error{"shown everywhere as it is"};
      if (picture.job.format != image::Format::npy) return Done{};
    }
    Result<image::RawLayout> layout =
        raw ? image::read_raw_layout(part.parameters, picture.job.bytes) : image::read_npy(picture.job.bytes);
    if (!layout) return layout.error();
    picture.job.format = raw ? image::Format::raw : image::Format::npy;
    picture.job.layout = *layout;
    return image::read_raw_settings(part.parameters, picture.job.settings);
  }

  // What the bytes are, whatever their label says.
  Status sniff(Picture& picture) {
    if (picture.job.bytes.empty()) return Error{"empty"};
    const image::Format format = image::sniff(picture.job.bytes);
    picture.job.format = format;
    if (format == image::Format::unknown) return Error{"no image that we know"};
    if (format == image::Format::npy) {
      Result<image::RawLayout> layout = image::read_npy(picture.job.bytes);
      if (!layout) return layout.error();
      picture.job.layout = *layout;
    }
    if (image::shown_everywhere(format)) {
      picture.as_is = true;
      picture.result.status = image::Status::ok;
      picture.result.format = format;
    }
    return Done{};
  }

  Work& work_;
  image::Limits limits_;
  std::map<Digest, std::size_t> known_;
};

}  // namespace

void resolve(Work& work, const config::Settings& settings) {
  Resolver resolver(work, settings);
  for (Finding& finding : work.findings)
    if (finding.reason.empty()) resolver.resolve(finding);
}

}  // namespace pixmilter::core
