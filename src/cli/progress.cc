#include "cli/progress.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

namespace pixmilter::cli {
namespace {

constexpr Milliseconds kPatience{1'000};
constexpr Milliseconds kBetween{200};
constexpr char kClear[] = "\r\033[K";

std::string pictures(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " picture" : " pictures");
}

}  // namespace

Progress::Progress() {
  if (::isatty(STDERR_FILENO) == 1) thread_ = std::thread([this] { show(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Progress::waits_for(std::string what) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    // At once: what the command writes next stands on a line of its own.
    if (std::exchange(shown_, false)) std::fputs(kClear, stderr);
    what_ = std::move(what);
    since_ = Clock::now();
  }
  changed_.notify_one();
}

void Progress::show() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    const auto waited = Clock::now() - since_;
    if (!what_.empty() && waited >= kPatience) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(waited).count();
      std::fprintf(stderr, "%s%s, %lld s", kClear, what_.c_str(), static_cast<long long>(seconds));
      shown_ = true;
      changed_.wait_for(lock, kBetween);
    } else if (what_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_for(lock, kPatience - waited);
    }
  }
  if (shown_) std::fputs(kClear, stderr);
}

std::vector<image::ImageResult> ShownRenderer::render(std::span<const image::ImageJob> jobs,
                                                      Deadline deadline) {
  progress_.waits_for("rendering " + pictures(jobs.size()));
  auto results = renderer_.render(jobs, deadline);
  progress_.waits_for("");
  return results;
}

std::vector<source::FetchResponse> ShownFetcher::fetch(std::span<const source::FetchRequest> requests,
                                                       Deadline deadline) {
  progress_.waits_for("fetching " + pictures(requests.size()));
  auto responses = fetcher_->fetch(requests, deadline);
  progress_.waits_for("");
  return responses;
}

}  // namespace pixmilter::cli
