#include "core/budget.h"

#include <algorithm>
#include <vector>

namespace pixmilter::core {
namespace {

// Bytes of a picture that a byte of the message stands for: base64 in lines of 76 and CRLF, and a reserve for
// what a second try should not be needed for.
constexpr double kPictureBytes = 57.0 / 78.0 * 1.01;
constexpr std::uint64_t kSmallestPicture = 200;  // bytes: no encoder gets a picture of use below that

image::OutputFormat same_format(image::Format format) {
  switch (format) {
    case image::Format::jpeg:
      return image::OutputFormat::jpeg;
    case image::Format::gif:
      return image::OutputFormat::gif;
    default:
      return image::OutputFormat::png;
  }
}

}  // namespace

bool over_budget(const mail::Message& message, const Plan& plan) {
  const std::uint64_t budget = plan.policy.max_message_bytes;
  return budget > 0 && message.bytes().size() > budget && message.count("X-Pixmilter") == 0;
}

bool shrink_pictures(Work& work, std::uint64_t excess) {
  // Not those that nothing shows: of a part, say, that stays whole for one of its pages.
  std::vector<bool> shown(work.pictures.size());
  for (const Finding& finding : work.findings)
    if (finding.picture != Finding::kNone) shown[finding.picture] = true;
  std::vector<Picture*> pictures;
  for (std::size_t i = 0; i < work.pictures.size(); ++i)
    if (shown[i] && work.pictures[i].ok()) pictures.push_back(&work.pictures[i]);
  std::sort(pictures.begin(), pictures.end(),
            [](const Picture* a, const Picture* b) { return a->size() > b->size(); });
  const double needed = static_cast<double>(excess) * kPictureBytes;
  // With the n largest cut to the size of the next one, is enough gone? Then the cut lies between the two.
  double gone = 0;
  for (std::size_t n = 1; n <= pictures.size(); ++n) {
    const double size = static_cast<double>(pictures[n - 1]->size());
    const double next = n < pictures.size() ? static_cast<double>(pictures[n]->size()) : 0;
    const double here = static_cast<double>(n) * (size - next);
    if (gone + here < needed) {
      gone += here;
      continue;
    }
    const double cut = size - (needed - gone) / static_cast<double>(n);
    if (cut < static_cast<double>(kSmallestPicture)) return false;
    for (std::size_t i = 0; i < n; ++i) {
      image::RenderSettings& settings = pictures[i]->job.settings;
      settings.max_bytes = static_cast<std::uint64_t>(cut);
      settings.min_side = work.plan.policy.min_side;
      if (!pictures[i]->source) pictures[i]->source = sha256(pictures[i]->job.bytes);
      if (!pictures[i]->needs_worker) settings.format = same_format(pictures[i]->job.format);
      pictures[i]->needs_worker = true;
      pictures[i]->forget();
    }
    return true;
  }
  return false;
}

}  // namespace pixmilter::core
