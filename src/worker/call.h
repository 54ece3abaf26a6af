// One call of Pool::render: a message's pictures, spread over the workers it gets.
#pragma once

#include <array>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/socket.h"
#include "base/unique_fd.h"
#include "image/job.h"
#include "worker/options.h"
#include "worker/pace.h"
#include "worker/refusals.h"
#include "worker/statistics.h"
#include "worker/stock.h"

namespace pixmilter::worker {

// Formats whose decoders are young, large or run programs of their own: a worker that has decoded one
// serves no other message.
bool risky(image::Format format);

// Lives on the stack of the thread that calls. Everything borrowed outlives it.
class Call {
 public:
  Call(const PoolOptions& options, Stock& stock, Refusals& refusals, Statistics& statistics,
       std::span<const image::ImageJob> jobs, Deadline deadline);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  std::vector<image::ImageResult> run();

 private:
  // A job that a worker has.
  struct Running {
    WorkerPtr worker;
    std::size_t job = 0;
    std::uint64_t number = 0;  // what the worker calls it
    UniqueFd output;           // where it has said that it needs one
    std::uint64_t output_size = 0;
    bool hurried = false;
    Clock::time_point began;
    Deadline deadline;  // the picture's own, or the message's where that is earlier
  };

  bool pending() const;
  std::size_t at_work() const;
  Pace::Left left(std::size_t job) const;
  void admit();
  void take_workers();
  PurposeCounts to_do() const;  // jobs that have no worker yet
  bool begin(WorkerPtr worker);
  bool send(WorkerProcess& worker, const image::ImageJob& job, int input, Running& running);
  void wait();
  void hear(Running& running);
  void accept(Running& running, const Packet& packet);
  [[nodiscard]] pixmilter::Status give_output(Running& running, std::uint64_t size);
  void finish(Running& running, image::ImageResult result, bool retire);
  void expire();
  void lose(Running& running, image::Status status, const std::string& reason, bool blame);
  void next(WorkerPtr worker);
  void settle(std::size_t job, image::Status status, std::string reason);
  void publish(std::int64_t waiting, std::int64_t at_work);

  const PoolOptions& options_;
  Stock& stock_;
  Refusals& refusals_;
  Statistics& statistics_;
  const std::span<const image::ImageJob> jobs_;
  const Deadline deadline_;
  const Clock::time_point began_ = Clock::now();
  Pace pace_{began_, deadline_};
  Waiter waiter_;
  std::array<std::deque<std::size_t>, wire::kPurposes> pending_;
  std::vector<Running> running_;
  std::vector<std::uint8_t> attempts_;  // workers that were dead before they had the job
  std::vector<image::ImageResult> results_;
  std::int64_t waiting_ = 0;  // as the statistics have them from this call
  std::int64_t at_work_ = 0;
};

}  // namespace pixmilter::worker
