// The pool: the front's render workers, as a Renderer.
//
// Owns the stock of workers and the thread that keeps it filled. A worker that dies, hangs or breaks the
// protocol costs the picture it had and is replaced; the others never notice.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "worker/keeper.h"
#include "worker/launcher.h"
#include "worker/options.h"
#include "worker/refusals.h"
#include "worker/renderer.h"
#include "worker/statistics.h"
#include "worker/stock.h"

namespace pixmilter::worker {

class Pool final : public Renderer {
 public:
  // Starts nothing yet: the first picture does, or prepare().
  // statistics: added to what is in there already.
  Pool(const PoolOptions& options, std::unique_ptr<ZygoteSource> source,
       std::shared_ptr<Statistics> statistics = std::make_shared<Statistics>());
  // Ends all workers. No call of render() is under way.
  ~Pool() override = default;

  // Has workers made before they are needed, where options.ahead says so. Not before the process has
  // forked for the last time: the pool has a thread from here on.
  void prepare();

  // From any thread; many at once.
  std::vector<image::ImageResult> render(std::span<const image::ImageJob> jobs, Deadline deadline) override;

  struct Counters {
    std::array<std::uint64_t, 6> pictures{};  // by image::Status
    std::uint64_t workers_started = 0;
    std::uint64_t zygotes_started = 0;
    std::uint64_t busy = 0;     // workers at work now
    std::uint64_t waiting = 0;  // pictures in the queue now
  };
  Counters counters();

 private:
  PoolOptions options_;
  const std::shared_ptr<Statistics> statistics_;  // outlives the keeper
  Refusals refusals_;
  std::array<std::atomic<std::uint64_t>, 6> pictures_{};
  Stock stock_;
  Keeper keeper_;  // ends before the stock
};

}  // namespace pixmilter::worker
