#include "core/image_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace pixmilter::core {
namespace {

image::OutputFormat output(config::ImageFormat format) {
  switch (format) {
    case config::ImageFormat::automatic:
      return image::OutputFormat::automatic;
    case config::ImageFormat::png:
      return image::OutputFormat::png;
    case config::ImageFormat::gif:
      return image::OutputFormat::gif;
    case config::ImageFormat::jpeg:
      return image::OutputFormat::jpeg;
  }
  return image::OutputFormat::automatic;
}

image::Resize output(config::Resize resize) {
  switch (resize) {
    case config::Resize::none:
      return image::Resize::none;
    case config::Resize::fit:
      return image::Resize::fit;
    case config::Resize::fill:
      return image::Resize::fill;
    case config::Resize::force:
      return image::Resize::force;
  }
  return image::Resize::none;
}

bool is_format(image::Format format, config::ImageFormat wanted) {
  switch (wanted) {
    case config::ImageFormat::automatic:
      return true;
    case config::ImageFormat::png:
      return format == image::Format::png;
    case config::ImageFormat::gif:
      return format == image::Format::gif;
    case config::ImageFormat::jpeg:
      return format == image::Format::jpeg;
  }
  return true;
}

// The displayed size in pixels at the plan's density, or 0.
std::uint32_t displayed(const std::optional<double>& css, double density) {
  if (!css || !(*css > 0) || *css * density > 30'000) return 0;
  return static_cast<std::uint32_t>(std::max(1.0, std::ceil(*css * density)));
}

std::uint32_t smaller(std::uint32_t a, std::uint32_t b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

}  // namespace

namespace {

// Who asked for the strictest, setting by setting: of those who did, the one whose rule stands first in the
// file.
class Blame {
 public:
  Blame(const Plan& plan, const std::vector<config::ImagePlan>& wanted, const config::ImagePlan& strictest)
      : plan_(plan), wanted_(wanted), strictest_(strictest) {}

  std::vector<Forced> forced() && {
    using config::ImagePlan;
    compare(&ImagePlan::action, "action", [](auto action) { return std::string(config::name(action)); });
    // What else is wanted of a picture that is not made.
    if (strictest_.action >= config::ImageAction::keep) return std::move(out_);
    const auto number = [](auto n) { return std::to_string(n); };
    const auto truth = [](bool is) { return std::string(is ? "true" : "false"); };
    compare(&ImagePlan::format, "format", [](auto format) { return std::string(config::name(format)); });
    compare(&ImagePlan::quality, "quality", number);
    compare(&ImagePlan::lossy, "lossy", truth);
    compare(&ImagePlan::resize, "resize", [](auto resize) { return std::string(config::name(resize)); });
    compare(&ImagePlan::width, "width", number);
    compare(&ImagePlan::height, "height", number);
    compare(&ImagePlan::enlarge, "enlarge", truth);
    compare(&ImagePlan::density, "density", [](double density) {
      std::array<char, 32> text{};
      std::snprintf(text.data(), text.size(), "%g", density);
      return std::string(text.data());
    });
    compare(&ImagePlan::max_bytes, "max_bytes", number);
    compare(&ImagePlan::all_pages, "pages", [](bool all) { return std::string(all ? "all" : "first"); });
    return std::move(out_);
  }

 private:
  template <class T, class Written>
  void compare(T config::ImagePlan::*setting, const char* name, Written written) {
    const T& value = strictest_.*setting;
    if (std::all_of(wanted_.begin(), wanted_.end(),
                    [&](const config::ImagePlan& one) { return one.*setting == value; }))
      return;
    const RecipientPlan* by = nullptr;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i].*setting != value) continue;
      const RecipientPlan* one = first_of(plan_.images[i]);
      const bool before = by == nullptr || by->rule == nullptr ||
                          (one != nullptr && one->rule != nullptr && one->rule < by->rule);
      if (one != nullptr && before) by = one;
    }
    if (by != nullptr)
      out_.push_back({std::string(name) + " = " + written(value), by->recipient, by->rule_name});
  }

  // In the order of the envelope.
  const RecipientPlan* first_of(const std::vector<config::ImageRule>* images) const {
    const RecipientPlan* without_rule = nullptr;
    for (const RecipientPlan& one : plan_.recipients) {
      if (one.rule != nullptr && &one.rule->images == images) return &one;
      if (one.rule == nullptr && without_rule == nullptr) without_rule = &one;
    }
    return without_rule;
  }

  const Plan& plan_;
  const std::vector<config::ImagePlan>& wanted_;  // as plan.images
  const config::ImagePlan& strictest_;
  std::vector<Forced> out_;
};

}  // namespace

PlannedImage plan_image(const Plan& plan, const ImageFacts& facts) {
  PlannedImage out;
  std::vector<config::ImagePlan> wanted;
  for (const std::vector<config::ImageRule>* rules : plan.images) {
    const config::ImageRule* rule = first_match(*rules, facts, plan.traced ? &out.trace : nullptr);
    out.ruled = out.ruled || rule != nullptr;
    wanted.push_back(rule != nullptr ? rule->plan : config::ImagePlan{});
    out.plan = wanted.size() == 1 ? wanted.front() : stricter(out.plan, wanted.back());
  }
  if (out.ruled && wanted.size() > 1) out.forced = Blame(plan, wanted, out.plan).forced();
  return out;
}

void apply(const config::ImagePlan& plan, const config::Policy& policy, const html::Reference* reference,
           image::RenderSettings& settings) {
  settings.format = output(plan.format);
  settings.quality = static_cast<std::uint8_t>(plan.quality);
  settings.lossy_allowed = plan.lossy;
  settings.resize = output(plan.resize);
  settings.width = plan.width;
  settings.height = plan.height;
  settings.enlarge = plan.enlarge;
  settings.max_bytes = plan.max_bytes;
  settings.min_side = policy.min_side;
  if (reference == nullptr) return;
  // With resizing on nobody needs more pixels than the page shows, times the density of good screens.
  if (plan.resize == config::Resize::fit) {
    settings.width = smaller(settings.width, displayed(reference->css_width, plan.density));
    settings.height = smaller(settings.height, displayed(reference->css_height, plan.density));
  }
  if (reference->place == html::Place::inline_svg) settings.svg_scale = plan.density;
}

void draw_as_displayed(const config::ImagePlan& plan, const html::Reference& reference,
                       const image::Header& header, image::RenderSettings& settings) {
  constexpr double kMostPixels = 16e6;
  if (settings.resize != image::Resize::none || header.width == 0 || header.height == 0) return;
  if (reference.place != html::Place::img_src && reference.place != html::Place::input_src) return;
  double scale = 0;
  if (reference.css_width) scale = std::max(scale, *reference.css_width / header.width);
  if (reference.css_height) scale = std::max(scale, *reference.css_height / header.height);
  const double pixels = double(header.width) * header.height;
  settings.svg_scale = std::max(1.0, std::min(scale * plan.density, std::sqrt(kMostPixels / pixels)));
}

bool must_render(const config::ImagePlan& plan, const image::ImageJob& job, const ImageFacts& facts) {
  if (!is_format(job.format, plan.format)) return true;
  if (plan.max_bytes > 0 && job.bytes.size() > plan.max_bytes) return true;
  const image::RenderSettings& s = job.settings;
  if (s.resize == image::Resize::none || (s.width == 0 && s.height == 0)) return false;
  if (!facts.width || !facts.height) return true;
  const bool larger = (s.width > 0 && *facts.width > s.width) || (s.height > 0 && *facts.height > s.height);
  const bool other = (s.width > 0 && *facts.width != s.width) || (s.height > 0 && *facts.height != s.height);
  return larger || (other && s.enlarge);
}

}  // namespace pixmilter::core
