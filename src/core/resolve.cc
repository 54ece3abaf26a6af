#include "core/resolve.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/ascii.h"
#include "core/acquire.h"
#include "core/image_facts.h"
#include "core/image_plan.h"
#include "core/links.h"
#include "core/picture_key.h"
#include "image/header.h"
#include "image/metadata.h"
#include "image/outward.h"
#include "image/placeholder.h"

namespace pixmilter::core {
namespace {

// The word of [render] loaders that a format needs; empty: our own readers, always there.
std::string_view loader_of(image::Format format) {
  switch (format) {
    case image::Format::png:
      return "png";
    case image::Format::jpeg:
      return "jpeg";
    case image::Format::gif:
      return "gif";
    case image::Format::webp:
      return "webp";
    case image::Format::tiff:
      return "tiff";
    case image::Format::heif:
    case image::Format::avif:
      return "heif";
    case image::Format::svg:
      return "svg";
    case image::Format::jxl:
      return "jxl";
    case image::Format::jp2:
      return "jp2";
    default:
      return {};
  }
}

void fail(Finding& finding, config::Failure failure, std::string reason) {
  finding.failed = true;
  finding.failure = failure;
  finding.reason = std::move(reason);
}

class Resolver {
 public:
  Resolver(Work& work, const config::Settings& settings, Deadline deadline)
      : work_(work),
        settings_(settings),
        acquirer_(work, settings, deadline),
        rewritten_before_(work.message.count("X-Pixmilter") > 0) {
    limits_.max_pixels = settings.render.max_pixels;
    limits_.max_frames = settings.render.max_frames;
    const auto asks = [](const std::vector<config::Condition>& conditions) {
      return std::any_of(conditions.begin(), conditions.end(),
                         [](const config::Condition& c) { return c.key == config::Key::gps; });
    };
    for (const std::vector<config::ImageRule>* rules : work.plan.images)
      for (const config::ImageRule& rule : *rules)
        location_matters_ = location_matters_ || asks(rule.conditions.match) || asks(rule.conditions.unless);
  }

  // Appends the finding, resolved, and where it is a part of which a rule wants all pages, these behind it.
  void resolve_into(std::vector<Finding>& all, Finding finding) {
    const std::size_t pictures = work_.pictures.size();
    pages_ = 1;
    resolve(finding);
    const std::uint32_t pages = finding.picture == Finding::kNone ? 1 : pages_;
    const std::size_t first = all.size();
    all.push_back(std::move(finding));
    for (std::uint32_t page = 1; page < pages; ++page) {
      Finding more = all[first];
      more.page = page;
      more.picture = Finding::kNone;
      more.label += " page " + std::to_string(page + 1);
      resolve(more);
      if (more.picture == Finding::kNone) {
        all.resize(first + 1);
        leave_whole(all[first], more);
        return forget_from(pictures);
      }
      all.push_back(std::move(more));
    }
  }

  void resolve(Finding& finding) {
    Picture picture;
    if (!allowed(finding.source, work_.plan.policy.sources)) {
      // An <svg> has to be read even to be left out: one that is not shown stays in place.
      const bool readable = finding.source != Source::svg || acquirer_.acquire(finding, picture).ok();
      if (!readable || !leave_out(finding, picture))
        finding.reason = "source \"" + std::string(name(finding.source)) + "\" is not allowed";
      return;
    }
    // One more may be a picture that is known; but to read thousands for that is what the limit is against.
    if (left_out_ > work_.plan.policy.max_images && finding.source != Source::part && !any_image_rules())
      return too_many(finding);
    if (Status found = acquirer_.acquire(finding, picture); !found) {
      // What cannot be read can still be meant by a rule.
      if (finding.source != Source::svg && leave_out(finding, picture)) return;
      // A part that is no picture we know is the sender's; a reference or an explicit ask was meant as one.
      if (finding.source == Source::part && !finding.asked)
        finding.reason = found.error().text;
      else
        fail(finding, finding.failure, found.error().text);
      return;
    }
    finding.format = picture.job.format;
    finding.bytes_before = picture.job.bytes.size();
    if (leave_out(finding, picture)) return;
    if (Status planned = plan(finding, picture); !planned) {
      finding.reason = planned.error().text;
      if (finding.may_shrink) set_aside(finding, std::move(picture));
      return;
    }
    picture.job.settings.page = finding.page;
    if (wants_all_pages(finding, picture)) {
      pages_ = picture.header->frames;
      if (pages_ > limits_.max_frames)
        return fail(finding, config::Failure::limit,
                    std::to_string(pages_) +
                        " pages are more than max_frames = " + std::to_string(limits_.max_frames));
    }
    enlist(finding, std::move(picture));
  }

  // A reference that is served from nowhere: a rule means it only if it names its source.
  void consider(Finding& finding) {
    const html::Reference* reference = work_.reference(finding);
    if (reference == nullptr || finding.place == html::Place::inline_svg) return;
    std::string scratch;
    const std::string_view url = html::url(*reference, scratch);
    if (!ascii::istarts_with(url, "http:") && !ascii::istarts_with(url, "https:") &&
        !ascii::istarts_with(url, "asset:") && !ascii::istarts_with(url, "file:"))
      return;
    const Picture nothing;
    const ImageFacts facts = facts_of(finding, nothing);
    const auto named = [&](const std::vector<config::ImageRule>* rules) {
      const config::ImageRule* rule = first_match(*rules, facts);
      return rule != nullptr &&
             std::any_of(rule->conditions.match.begin(), rule->conditions.match.end(),
                         [](const config::Condition& c) { return c.key == config::Key::source; });
    };
    if (std::any_of(work_.plan.images.begin(), work_.plan.images.end(), named)) leave_out(finding, nothing);
  }

 private:
  bool any_image_rules() const {
    return std::any_of(work_.plan.images.begin(), work_.plan.images.end(),
                       [](const std::vector<config::ImageRule>* rules) { return !rules->empty(); });
  }

  void too_many(Finding& finding) const {
    fail(finding, config::Failure::limit,
         "more than max_images = " + std::to_string(work_.plan.policy.max_images));
  }

  // Gives the finding its picture: a new one, or one that the message shows already.
  void enlist(Finding& finding, Picture picture) {
    picture.job.limits = limits_;
    if (!picture.source) picture.source = sha256(picture.job.bytes);
    const Digest key = picture_key(picture.job, *picture.source, picture.needs_worker);
    const auto known = known_.find(key);
    const bool placeholder = finding.decision == Decision::placeholder;
    if (known == known_.end() && !placeholder &&
        work_.pictures.size() - placeholders_ - set_aside_ >= work_.plan.policy.max_images) {
      ++left_out_;
      return too_many(finding);
    }
    finding.picture = known == known_.end() ? work_.pictures.size() : known->second;
    if (known != known_.end()) return;
    known_.emplace(key, finding.picture);
    placeholders_ += placeholder;
    if (!picture.needs_worker && !placeholder && finding.source != Source::part) strip_metadata(picture);
    // Moved before the view is taken: short strings hold their bytes in themselves.
    Picture& kept = work_.pictures.emplace_back(std::move(picture));
    if (!kept.storage.empty()) kept.job.bytes = kept.storage;
  }

  // A part that stays as it is, for now: the message may turn out to be over its budget. Not shared with what
  // else shows the same bytes, which leaves without its metadata.
  void set_aside(Finding& finding, Picture picture) {
    finding.may_shrink = set_aside_ < work_.plan.policy.max_images;
    if (!finding.may_shrink) return;
    ++set_aside_;
    as_it_is(picture);
    picture.job.limits = limits_;
    finding.picture = work_.pictures.size();
    Picture& kept = work_.pictures.emplace_back(std::move(picture));
    if (!kept.storage.empty()) kept.job.bytes = kept.storage;
  }

  // Whether the rules want the picture dropped or a placeholder in its place. What is not known of it makes
  // conditions fail. A placeholder of a pass before stays.
  bool leave_out(Finding& finding, const Picture& picture) {
    if (finding.source == Source::part && picture.job.bytes == image::placeholder()) {
      finding.reason = "a placeholder already";
      return true;
    }
    // Octets that are no picture we know are some other file.
    if (finding.source == Source::part && picture.job.format == image::Format::unknown && !finding.asked &&
        !work_.tree[finding.part].type.starts_with("image/"))
      return false;
    const ImageFacts facts = facts_of(finding, picture);
    PlannedImage planned = plan_image(work_.plan, facts);
    finding.trace = std::move(planned.trace);
    finding.forced = std::move(planned.forced);
    const bool drop = planned.plan.action == config::ImageAction::drop;
    if (!drop && planned.plan.action != config::ImageAction::placeholder) return false;
    finding.plan = planned.plan;
    finding.ruled = true;
    finding.silent = false;
    finding.width_before = facts.width.value_or(0);
    finding.height_before = facts.height.value_or(0);
    finding.reason = planned.plan.reason;
    finding.decision = drop ? Decision::drop : Decision::placeholder;
    if (drop) return true;
    Picture neutral;
    neutral.job.bytes = image::placeholder();
    neutral.job.format = neutral.result.format = image::Format::png;
    neutral.needs_worker = false;
    neutral.result.status = image::Status::ok;
    neutral.result.width = image::kPlaceholderWidth;
    neutral.result.height = image::kPlaceholderHeight;
    neutral.name = "placeholder.png";
    enlist(finding, std::move(neutral));
    return true;
  }

  // What the rules want; an Error says why the picture stays as it is although nothing failed.
  Status plan(Finding& finding, Picture& picture) {
    image::ImageJob& job = picture.job;
    const ImageFacts facts = facts_of(finding, picture);
    finding.width_before = facts.width.value_or(0);
    finding.height_before = facts.height.value_or(0);
    PlannedImage planned = plan_image(work_.plan, facts);
    finding.plan = planned.plan;
    finding.ruled = planned.ruled;
    finding.trace = std::move(planned.trace);
    finding.forced = std::move(planned.forced);
    finding.note = note_on(finding, job);
    const bool part = finding.source == Source::part;
    const bool shown = image::shown_everywhere(job.format);
    // What has been through here was within the budget then, but for the fields that servers add on the way.
    const bool may_shrink = part && shown && work_.plan.policy.max_message_bytes > 0 && !rewritten_before_;
    if (part && !planned.ruled && (finding.attachment || shown) && !finding.asked) {
      finding.may_shrink = may_shrink && !finding.attachment;
      return Error{shown ? "shown everywhere as it is" : "an attachment that no image rule means"};
    }
    const html::Reference* reference = work_.reference(finding);
    if (planned.ruled) apply(planned.plan, work_.plan.policy, reference, job.settings);
    // A rule that has a JPEG encoded anew means no PNG of ten times its size.
    if (planned.ruled && job.format == image::Format::jpeg) job.settings.lossy_allowed = true;
    // Where a style sheet may undo the size that the page gives, the picture's own has to stay what it is.
    if (job.format == image::Format::svg && reference != nullptr && picture.header &&
        !work_.texts[finding.html].scan.sheets_say_auto)
      draw_as_displayed(planned.plan, *reference, *picture.header, job.settings);
    job.settings.min_side = work_.plan.policy.min_side;
    switch (planned.plan.action) {
      case config::ImageAction::keep:
        return Error{"an image rule keeps it"};
      case config::ImageAction::drop:
      case config::ImageAction::placeholder:
        return Error{"left out"};  // leave_out() has seen to these
      case config::ImageAction::embed:
        // Samples without a header of their own are no file that anybody could open.
        if (!part && job.format == image::Format::raw) break;
        as_it_is(picture);
        if (!part) return Done{};
        if (shown) strip_metadata(picture);
        if (picture.as_is()) return Error{"a rule embeds it as it is"};
        return Done{};
      case config::ImageAction::convert:
        // Each encoding of a JPEG loses something, and a second pass changes nothing: what has been through
        // here and is as the rule wants it is done.
        if (part && shown && rewritten_before_ && !must_render(planned.plan, job, facts)) {
          as_it_is(picture);
          strip_metadata(picture);
          if (picture.as_is()) return Error{"converted already"};
          return Done{};
        }
        break;
      case config::ImageAction::automatic:
        if (shown && !must_render(planned.plan, job, facts) &&
            (part || finding.attachment || safe_as_it_is(picture))) {
          as_it_is(picture);
          if (!part) return Done{};
          strip_metadata(picture);
          finding.may_shrink = may_shrink && picture.as_is();
          if (picture.as_is()) return Error{"nothing to change"};
          return Done{};
        }
        break;
    }
    const std::string_view loader = loader_of(job.format);
    const std::vector<std::string>& loaders = settings_.render.loaders;
    if (loader.empty() || std::find(loaders.begin(), loaders.end(), loader) != loaders.end()) return Done{};
    const Error missing{"\"" + std::string(loader) + "\" is not among [render] loaders"};
    if (!part) fail(finding, config::Failure::unreadable, missing.text);
    return missing;
  }

  // What librsvg does not draw, and, for explain, what it does not load.
  std::string note_on(const Finding& finding, const image::ImageJob& job) const {
    if (job.format != image::Format::svg) return {};
    const html::Reference* reference = work_.reference(finding);
    const bool inlined = reference != nullptr && finding.source == Source::svg;
    const std::string_view svg = inlined ? reference->raw : job.bytes;
    std::string note;
    if (image::loses_foreign_object(svg)) note = "its foreignObject is not drawn: put the text into <text>";
    const std::string url = work_.plan.traced ? image::outward_reference(svg) : std::string();
    if (!url.empty())
      note.append(note.empty() ? "" : "; ").append("what it refers to is never loaded: ").append(url);
    return note;
  }

  // Of a part, or what an external body stands for: the other pages become parts of their own behind the
  // first.
  static bool wants_all_pages(const Finding& finding, const Picture& picture) {
    return finding.plan.all_pages && finding.page == 0 && finding.html == Finding::kNone &&
           picture.needs_worker && picture.job.format == image::Format::tiff && picture.header;
  }

  // Pictures that nothing shows after all: they are not rendered, and leave room for others.
  void forget_from(std::size_t first) {
    work_.pictures.erase(work_.pictures.begin() + static_cast<std::ptrdiff_t>(first), work_.pictures.end());
    std::erase_if(known_, [&](const auto& known) { return known.second >= first; });
  }

  // Eight bits and no ink: what every mail client shows as it is meant.
  static bool safe_as_it_is(const Picture& picture) {
    return !picture.header || (picture.header->bits <= 8 && !picture.header->cmyk);
  }

  ImageFacts facts_of(const Finding& finding, const Picture& picture) const {
    return image_facts(work_, finding, picture, location_matters_);
  }

  // Byte for byte.
  static void as_it_is(Picture& picture) {
    picture.needs_worker = false;
    picture.result.status = image::Status::ok;
    picture.result.format = picture.job.format;
    if (picture.header) {
      picture.result.width = picture.header->width;
      picture.result.height = picture.header->height;
      picture.result.frames = picture.header->frames;
    }
  }

  // But for metadata that the policy takes out.
  void strip_metadata(Picture& picture) const {
    const config::StripMetadata strip = work_.plan.policy.strip_metadata;
    if (strip == config::StripMetadata::none) return;
    Result<std::optional<std::string>> stripped = image::strip_metadata(
        picture.job.bytes, strip == config::StripMetadata::all ? image::Strip::all : image::Strip::gps);
    if (stripped && *stripped) picture.result.bytes = std::move(**stripped);
  }

  Work& work_;
  const config::Settings& settings_;
  Acquirer acquirer_;
  image::Limits limits_;
  const bool rewritten_before_;  // the message has been through here
  std::uint32_t pages_ = 1;      // of the finding that was resolved last, as far as they are wanted
  std::size_t left_out_ = 0;     // pictures that max_images left no room for
  std::map<Digest, std::size_t> known_;
  std::size_t placeholders_ = 0;
  std::size_t set_aside_ = 0;
  bool location_matters_ = false;  // a rule asks for it: it costs a walk through the picture
};

}  // namespace

void resolve(Work& work, const config::Settings& settings, const Services& services, Deadline deadline) {
  fetch_links(work, services, deadline);
  Resolver resolver(work, settings, deadline);
  std::vector<Finding> all;
  for (Finding& finding : work.findings) {
    if (finding.reason.empty()) {
      resolver.resolve_into(all, std::move(finding));
      continue;
    }
    if (finding.silent) resolver.consider(finding);
    all.push_back(std::move(finding));
  }
  work.findings = std::move(all);
}

}  // namespace pixmilter::core
