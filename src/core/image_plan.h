// From what the rules say of an image to what a worker is asked to do.
#pragma once

#include "config/settings.h"
#include "core/decide.h"
#include "core/match.h"
#include "html/reference.h"
#include "image/header.h"
#include "image/job.h"

namespace pixmilter::core {

struct PlannedImage {
  config::ImagePlan plan;
  bool ruled = false;                 // at least one rule speaks of it
  std::vector<ImageRuleTrace> trace;  // where the plan is traced
  std::vector<Forced> forced;         // where recipients' rules want different things: whose the strictest is
};

// What all rules that speak for the message say of an image together: the strictest.
PlannedImage plan_image(const Plan& plan, const ImageFacts& facts);

// The render settings of a plan. reference: where it is named in HTML, or nullptr.
void apply(const config::ImagePlan& plan, const config::Policy& policy, const html::Reference* reference,
           image::RenderSettings& settings);

// An SVG in an <img> is drawn for the size that the page shows it at, never below its own.
void draw_as_displayed(const config::ImagePlan& plan, const html::Reference& reference,
                       const image::Header& header, image::RenderSettings& settings);

// Whether a PNG, JPEG or GIF that could go out as it is has to be made anew to follow the settings.
bool must_render(const config::ImagePlan& plan, const image::ImageJob& job, const ImageFacts& facts);

}  // namespace pixmilter::core
