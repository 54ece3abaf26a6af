#include "milter/tally.h"

#include "image/format.h"

namespace pixmilter::milter {
namespace {

// Configurations come and go; the names of rules that went stay counted.
constexpr std::size_t kMostRules = 2000;

}  // namespace

void Tally::message(std::string_view word, std::string_view rule, std::uint64_t before, std::uint64_t after,
                    std::chrono::nanoseconds took) {
  in_ += before;
  out_ += after;
  time_.add(took);
  const std::lock_guard lock(mutex_);
  if (messages_.size() >= kMostRules) rule = "other";
  ++messages_[{std::string(word), std::string(rule.empty() ? "none" : rule)}];
}

void Tally::pictures(const std::vector<core::Finding>& findings) {
  const std::lock_guard lock(mutex_);
  for (const core::Finding& finding : findings) {
    if (finding.silent) continue;
    const std::string_view done = finding.failed ? "failed" : core::name(finding.decision);
    ++pictures_[{std::string(core::name(finding.source)), std::string(image::name(finding.format)),
                 std::string(done)}];
  }
}

Tally::Messages Tally::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

Tally::Pictures Tally::pictures() const {
  const std::lock_guard lock(mutex_);
  return pictures_;
}

}  // namespace pixmilter::milter
