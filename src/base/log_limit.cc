#include "base/log_limit.h"

#include <algorithm>

#include "base/ascii.h"

namespace pixmilter::log {
namespace {

constexpr std::chrono::minutes kWindow{1};

// The line without what differs from one occurrence to the next: numbers, and the queue id.
std::string kind_of(std::string_view line) {
  if (line.starts_with("id=")) line.remove_prefix(std::min(line.find(' '), line.size()));
  std::string kind;
  for (const char c : line) {
    if (!ascii::is_digit(c))
      kind.push_back(c);
    else if (kind.empty() || kind.back() != '0')
      kind.push_back('0');
  }
  return kind;
}

}  // namespace

bool Limit::allows(std::string_view line, Clock::time_point now) {
  if (a_minute_ == 0) return true;
  std::string name = kind_of(line);
  auto kind = kinds_.find(name);
  if (kind == kinds_.end()) {
    // More kinds than this are not repetitions. Those that wait to be summed up stay.
    if (kinds_.size() >= kMostKinds)
      std::erase_if(kinds_, [&](const auto& one) { return one.second.lines <= a_minute_; });
    if (kinds_.size() >= kMostKinds) return true;
    kind = kinds_.emplace(std::move(name), Kind{now, 0, std::string(line.substr(0, kMostOfFirst))}).first;
  }
  if (now - kind->second.began >= kWindow && kind->second.lines <= a_minute_)
    kind->second = {now, 0, std::string(line.substr(0, kMostOfFirst))};
  if (++kind->second.lines <= a_minute_) return true;
  next_ = std::min(next_, kind->second.began + kWindow);
  return false;
}

std::vector<std::string> Limit::summaries(Clock::time_point now) {
  std::vector<std::string> out;
  if (now < next_) return out;
  next_ = Clock::time_point::max();
  for (auto kind = kinds_.begin(); kind != kinds_.end();) {
    const std::uint64_t more = kind->second.lines > a_minute_ ? kind->second.lines - a_minute_ : 0;
    if (now - kind->second.began < kWindow) {
      if (more > 0) next_ = std::min(next_, kind->second.began + kWindow);
      ++kind;
      continue;
    }
    if (more > 0) out.push_back(std::to_string(more) + " more within a minute: " + kind->second.first);
    kind = kinds_.erase(kind);
  }
  return out;
}

}  // namespace pixmilter::log
