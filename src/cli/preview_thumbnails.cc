#include "cli/preview_thumbnails.h"

#include "image/format.h"
#include "image/job.h"

namespace pixmilter::cli {
namespace {

constexpr std::size_t kSmall = 40'000;  // bytes that are shown as they are
constexpr std::uint32_t kSide = 360;    // pixels, twice what the page gives a thumbnail

bool browsers_show(image::Format format) {
  using image::Format;
  return image::shown_everywhere(format) || format == Format::webp || format == Format::avif ||
         format == Format::svg || format == Format::bmp;
}

class Maker {
 public:
  Maker(worker::Renderer& renderer, Deadline deadline, Room& room)
      : renderer_(renderer), deadline_(deadline), room_(room) {}

  // bytes and out stay where they are until render() is over.
  void add(std::string_view bytes, image::Format format, std::string& out) {
    if (bytes.empty() || !browsers_show(format)) return;
    if (bytes.size() <= kSmall) return put(bytes, format, out);
    image::ImageJob job;
    job.bytes = bytes;
    job.format = format;
    job.settings.resize = image::Resize::fit;
    job.settings.width = job.settings.height = kSide;
    job.settings.lossy_allowed = true;
    jobs_.push_back(job);
    wanted_.push_back(&out);
  }

  void render() {
    if (jobs_.empty()) return;
    const std::vector<image::ImageResult> results = renderer_.render(jobs_, deadline_);
    for (std::size_t i = 0; i < results.size() && i < wanted_.size(); ++i)
      if (results[i].status == image::Status::ok) put(results[i].bytes, results[i].format, *wanted_[i]);
  }

 private:
  void put(std::string_view bytes, image::Format format, std::string& out) {
    if (room_.take(bytes.size() * 4 / 3 + 32)) out = data_uri(image::media_type(format), bytes);
  }

  worker::Renderer& renderer_;
  const Deadline deadline_;
  Room& room_;
  std::vector<image::ImageJob> jobs_;
  std::vector<std::string*> wanted_;
};

}  // namespace

std::vector<Thumbnails> thumbnails(const core::Report& report, worker::Renderer& renderer, Deadline deadline,
                                   Room& room) {
  std::vector<Thumbnails> out(report.pictures.size());
  Maker maker(renderer, deadline, room);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const core::ReportPicture& picture = report.pictures[i];
    maker.add(picture.after, image::sniff(picture.after), out[i].after);
    // What could not be read is shown only if that takes no reading.
    if (!picture.after.empty() || picture.before.size() <= kSmall)
      maker.add(picture.before, picture.format, out[i].before);
  }
  maker.render();
  return out;
}

}  // namespace pixmilter::cli
