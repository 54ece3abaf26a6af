#include "worker/refusals.h"

#include <algorithm>

namespace pixmilter::worker {
namespace {

// Pictures on record at once; a flood of new ones pushes out those that are nearest to their end.
constexpr std::size_t kMaxRecords = 4096;

}  // namespace

void Refusals::note(std::string_view bytes) {
  const Digest digest = sha256(bytes);
  const std::lock_guard lock(mutex_);
  forget_old();
  Record& record = records_[digest];
  ++record.kills;
  record.until = Deadline::after(duration_);
  if (records_.size() > kMaxRecords)
    records_.erase(std::min_element(records_.begin(), records_.end(), [](const auto& a, const auto& b) {
      return a.second.until.at() < b.second.until.at();
    }));
}

bool Refusals::refused(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    forget_old();
    if (records_.empty()) return false;
  }
  const Digest digest = sha256(bytes);
  const std::lock_guard lock(mutex_);
  const auto record = records_.find(digest);
  return record != records_.end() && record->second.kills >= kills_;
}

void Refusals::forget_old() {
  std::erase_if(records_, [](const auto& each) { return each.second.until.passed(); });
}

}  // namespace pixmilter::worker
