#include "worker/pool.h"

#include <algorithm>
#include <thread>

#include "worker/call.h"

namespace pixmilter::worker {
namespace {

PoolOptions settled(PoolOptions options) {
  if (options.workers == 0) options.workers = std::max(1U, std::thread::hardware_concurrency());
  return options;
}

}  // namespace

Pool::Pool(const PoolOptions& options, std::unique_ptr<ZygoteSource> source,
           std::shared_ptr<Statistics> statistics)
    : options_(settled(options)),
      statistics_(std::move(statistics)),
      refusals_(options_.kills_to_refuse, options_.refusal),
      stock_(options_.workers, options_.max_waiting, [this] { keeper_.wake(); }),
      keeper_(stock_, options_, std::move(source), *statistics_) {}

void Pool::prepare() {
  if (options_.ahead) keeper_.wake();
}

std::vector<image::ImageResult> Pool::render(std::span<const image::ImageJob> jobs, Deadline deadline) {
  std::vector<image::ImageResult> results;
  try {
    results = Call(options_, stock_, refusals_, *statistics_, jobs, deadline).run();
  } catch (const std::exception& problem) {
    results.assign(jobs.size(), {});
    for (auto& result : results) {
      result.status = image::Status::limit;
      result.reason = problem.what();
    }
  }
  for (const auto& result : results) {
    ++pictures_[static_cast<std::size_t>(result.status)];
    ++statistics_->pictures[static_cast<std::size_t>(result.status)];
  }
  return results;
}

Pool::Counters Pool::counters() {
  Counters counters;
  for (std::size_t i = 0; i < pictures_.size(); ++i) counters.pictures[i] = pictures_[i];
  counters.workers_started = keeper_.workers_started();
  counters.zygotes_started = keeper_.zygotes_started();
  const StockView view = stock_.view();
  counters.busy = view.busy;
  for (const std::size_t wanted : view.wanted) counters.waiting += wanted;
  return counters;
}

}  // namespace pixmilter::worker
