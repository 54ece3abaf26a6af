// The stock: which workers there are, who has one, who waits for one.
//
// Calls (worker/call.h) take workers out and give them back; the keeper (worker/keeper.h) puts new ones
// in. One mutex guards it all; nothing here blocks on another process.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/unique_fd.h"
#include "worker/process.h"
#include "worker/wire.h"

namespace pixmilter::worker {

using WorkerPtr = std::unique_ptr<WorkerProcess>;
using PurposeCounts = std::array<std::size_t, wire::kPurposes>;
constexpr std::size_t index(wire::Purpose purpose) { return static_cast<std::size_t>(purpose); }

// One call's place in the queue. Its members are the stock's; the call polls wake and asks.
class Waiter {
 public:
  // Readable when there is something for this call; -1 as long as it never had to wait.
  int wake_fd() const { return wake_.get(); }

 private:
  friend class Stock;
  PurposeCounts wanted_{};
  std::vector<WorkerPtr> granted_;
  std::array<std::optional<std::string>, wire::kPurposes> failure_;
  UniqueFd wake_;
  bool queued_ = false;
};

// How the keeper sees the stock.
struct StockView {
  PurposeCounts wanted{};  // by calls that wait
  PurposeCounts idle{};
  PurposeCounts lasting{};  // idle or busy, without those that will not come back
  std::size_t busy = 0;
};

class Stock {
 public:
  // max_busy: workers at work at once. max_waiting: pictures that may wait, over all calls.
  // needs_keeper is called, without the lock, when the keeper should look again.
  Stock(std::size_t max_busy, std::size_t max_waiting, std::function<void()> needs_keeper);

  // ---- for calls ----

  // States how many workers the call would use now, takes its place in the queue, and hands over what
  // it got so far. Workers go to the calls in turn, one at a time.
  std::vector<WorkerPtr> ask(Waiter& waiter, const PurposeCounts& wanted);
  // Whether this many more pictures may wait; asked before the first ask().
  bool has_room(std::size_t pictures);
  // Why no worker of this purpose can be had; says it once.
  std::optional<std::string> failure(Waiter& waiter, wire::Purpose purpose);
  // Leaves the queue for good.
  void leave(Waiter& waiter);
  // Others wait for a worker of this purpose.
  bool others_wait(const Waiter& waiter, wire::Purpose purpose);
  // A worker from which nothing more will come back to the stock, though it is still at work.
  void will_not_return(WorkerProcess& worker);
  // After a job: it goes to the next call or to the idle ones, or, where it shall retire, ends.
  void give_back(WorkerPtr worker);
  // It died, was killed, or broke the protocol. With ask_until, waits a moment, no longer than until then, to
  // learn from its zygote how it ended, and returns that in words.
  std::string discard(WorkerPtr worker, bool crashed, std::optional<Deadline> ask_until);
  // It is being destroyed without either. Only ~WorkerProcess says so.
  void lost(WorkerProcess& worker);

  // ---- for the keeper ----

  StockView view();
  void add(WorkerPtr worker);
  // Descriptors and numbers of the idle workers, to be polled.
  std::vector<std::pair<int, std::uint64_t>> idle_sockets();
  // An idle worker has no business to say anything: whatever came, it goes. True if it was still idle.
  bool drop_idle(std::uint64_t number);
  // All idle workers of a zygote end.
  void drop_idle_of(const Zygote& zygote);
  // Tells the calls that wait for this purpose that there will be none, unless some are at work.
  void fail(wire::Purpose purpose, const std::string& reason);
  void note_end(Zygote& zygote, const wire::Ended& ended);
  void note_lost(Zygote& zygote);
  bool worn_out(const Zygote& zygote, std::uint32_t max_crashes);

 private:
  void hand_out();
  void take_back(WorkerProcess& worker);
  void enter(Waiter& waiter);
  std::size_t waiting() const;

  const std::size_t max_busy_;
  const std::size_t max_waiting_;
  const std::function<void()> needs_keeper_;

  std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<Waiter*> queue_;
  std::array<std::vector<WorkerPtr>, wire::kPurposes> idle_;
  PurposeCounts busy_lasting_{};
  std::size_t busy_ = 0;
};

}  // namespace pixmilter::worker
