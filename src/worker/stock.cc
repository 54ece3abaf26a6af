#include "worker/stock.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace pixmilter::worker {
namespace {

// A zygote reaps a worker and says so within a millisecond. On a machine with more work than cores it may be
// forking another one, and wait for a core itself; only one that is stopped takes all of this.
constexpr Milliseconds kLastWords{3'000};
// A zygote remembers this many ended workers.
constexpr std::size_t kEndsKept = 64;

void signal_event(int fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
}

}  // namespace

Stock::Stock(std::size_t max_busy, std::size_t max_waiting, std::function<void()> needs_keeper)
    : max_busy_(max_busy), max_waiting_(max_waiting), needs_keeper_(std::move(needs_keeper)) {}

std::size_t Stock::waiting() const {
  std::size_t all = 0;
  for (const Waiter* waiter : queue_)
    for (const std::size_t wanted : waiter->wanted_) all += wanted;
  return all;
}

bool Stock::has_room(std::size_t pictures) {
  const std::lock_guard lock(mutex_);
  const std::size_t already = waiting();
  // A message alone may bring more than the bound: its own limits rule that.
  return already == 0 || already + pictures <= max_waiting_;
}

void Stock::enter(Waiter& waiter) {
  if (waiter.queued_) return;
  queue_.push_back(&waiter);
  waiter.queued_ = true;
}

// Gives idle workers to the calls in turn. A call that got one and wants more goes to the end.
void Stock::hand_out() {
  for (std::size_t passed = 0; passed < queue_.size() && busy_ < max_busy_;) {
    Waiter* waiter = queue_.front();
    queue_.pop_front();
    bool got = false;
    bool wants_more = false;
    for (std::size_t purpose = 0; purpose < wire::kPurposes; ++purpose) {
      std::size_t& wanted = waiter->wanted_[purpose];
      auto& idle = idle_[purpose];
      if (!got && wanted > 0 && !idle.empty()) {
        waiter->granted_.push_back(std::move(idle.back()));
        waiter->granted_.back()->lender = this;
        idle.pop_back();
        --wanted;
        ++busy_;
        ++busy_lasting_[purpose];
        got = true;
      }
      wants_more = wants_more || wanted > 0;
    }
    if (got && waiter->wake_) signal_event(waiter->wake_.get());
    if (wants_more)
      queue_.push_back(waiter);
    else
      waiter->queued_ = false;
    passed = got ? 0 : passed + 1;
  }
}

void Stock::take_back(WorkerProcess& worker) {
  worker.lender = nullptr;
  --busy_;
  if (!worker.leaving) --busy_lasting_[index(worker.purpose)];
}

void Stock::lost(WorkerProcess& worker) {
  const std::lock_guard lock(mutex_);
  take_back(worker);
  hand_out();
}

std::vector<WorkerPtr> Stock::ask(Waiter& waiter, const PurposeCounts& wanted) {
  std::vector<WorkerPtr> got;
  bool lacking = false;
  {
    const std::lock_guard lock(mutex_);
    waiter.wanted_ = wanted;
    for (const WorkerPtr& worker : waiter.granted_) {
      std::size_t& count = waiter.wanted_[index(worker->purpose)];
      if (count > 0) --count;
    }
    const auto wants = [&] {
      return std::any_of(waiter.wanted_.begin(), waiter.wanted_.end(), [](std::size_t n) { return n > 0; });
    };
    if (wants()) {
      enter(waiter);
      hand_out();
    }
    if (!wants() && waiter.queued_) {
      std::erase(queue_, &waiter);
      waiter.queued_ = false;
    }
    if (waiter.queued_ && !waiter.wake_) waiter.wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    lacking = waiter.queued_;
    got = std::move(waiter.granted_);
    waiter.granted_.clear();
    std::uint64_t count;
    if (waiter.wake_) [[maybe_unused]]
      const ssize_t emptied = ::read(waiter.wake_.get(), &count, sizeof count);
  }
  if (lacking) needs_keeper_();
  return got;
}

std::optional<std::string> Stock::failure(Waiter& waiter, wire::Purpose purpose) {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiter.failure_[index(purpose)], std::nullopt);
}

void Stock::leave(Waiter& waiter) {
  std::vector<WorkerPtr> unused;
  {
    const std::lock_guard lock(mutex_);
    std::erase(queue_, &waiter);
    waiter.queued_ = false;
    unused = std::move(waiter.granted_);
  }
  for (auto& worker : unused) give_back(std::move(worker));
}

bool Stock::others_wait(const Waiter& waiter, wire::Purpose purpose) {
  const std::lock_guard lock(mutex_);
  return std::any_of(queue_.begin(), queue_.end(), [&](const Waiter* other) {
    return other != &waiter && other->wanted_[index(purpose)] > 0;
  });
}

void Stock::will_not_return(WorkerProcess& worker) {
  {
    const std::lock_guard lock(mutex_);
    if (worker.leaving) return;
    worker.leaving = true;
    --busy_lasting_[index(worker.purpose)];
  }
  needs_keeper_();
}

void Stock::give_back(WorkerPtr worker) {
  bool gone = false;
  WorkerPtr ended;  // closed after the lock is free
  {
    const std::lock_guard lock(mutex_);
    take_back(*worker);
    gone = worker->leaving || worker->retire || worker->zygote->lost;
    if (gone)
      ended = std::move(worker);
    else
      idle_[index(worker->purpose)].push_back(std::move(worker));
    hand_out();
  }
  if (gone) needs_keeper_();
}

std::string Stock::discard(WorkerPtr worker, bool crashed, std::optional<Deadline> ask_until) {
  std::string how;
  {
    std::unique_lock lock(mutex_);
    take_back(*worker);
    Zygote& zygote = *worker->zygote;
    hand_out();
    if (ask_until) {
      const auto known = [&] { return zygote.lost || zygote.ended.contains(worker->number); };
      ended_.wait_until(lock, earlier(*ask_until, Deadline::after(kLastWords)).at(), known);
      const auto end = zygote.ended.find(worker->number);
      if (end != zygote.ended.end())
        how = describe(end->second);
      else
        how = zygote.lost ? "its zygote has gone" : "it closed its connection";
    }
    // Last: with one too many the zygote is replaced, and could not say any more how this one ended.
    if (crashed) ++zygote.crashes;
  }
  needs_keeper_();
  return how;
}

StockView Stock::view() {
  const std::lock_guard lock(mutex_);
  StockView view;
  for (const Waiter* waiter : queue_)
    for (std::size_t purpose = 0; purpose < wire::kPurposes; ++purpose)
      view.wanted[purpose] += waiter->wanted_[purpose];
  for (std::size_t purpose = 0; purpose < wire::kPurposes; ++purpose) {
    view.idle[purpose] = idle_[purpose].size();
    view.lasting[purpose] = idle_[purpose].size() + busy_lasting_[purpose];
  }
  view.busy = busy_;
  return view;
}

void Stock::add(WorkerPtr worker) {
  const std::lock_guard lock(mutex_);
  idle_[index(worker->purpose)].push_back(std::move(worker));
  hand_out();
}

std::vector<std::pair<int, std::uint64_t>> Stock::idle_sockets() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<int, std::uint64_t>> all;
  for (const auto& idle : idle_)
    for (const auto& worker : idle) all.emplace_back(worker->socket.get(), worker->number);
  return all;
}

bool Stock::drop_idle(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  for (auto& idle : idle_)
    for (auto& worker : idle)
      if (worker->number == number) {
        ++worker->zygote->crashes;
        worker->kill();
        std::swap(worker, idle.back());
        idle.pop_back();
        return true;
      }
  return false;
}

void Stock::drop_idle_of(const Zygote& zygote) {
  std::vector<WorkerPtr> gone;
  const std::lock_guard lock(mutex_);
  for (auto& idle : idle_)
    for (std::size_t i = idle.size(); i-- > 0;)
      if (idle[i]->zygote.get() == &zygote) {
        gone.push_back(std::move(idle[i]));
        idle.erase(idle.begin() + static_cast<std::ptrdiff_t>(i));
      }
}

void Stock::fail(wire::Purpose purpose, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  // Those at work come back and serve who waits.
  if (busy_lasting_[index(purpose)] > 0 || !idle_[index(purpose)].empty()) return;
  for (Waiter* waiter : queue_) {
    if (waiter->wanted_[index(purpose)] == 0) continue;
    waiter->failure_[index(purpose)] = reason;
    if (waiter->wake_) signal_event(waiter->wake_.get());
  }
}

void Stock::note_end(Zygote& zygote, const wire::Ended& ended) {
  const std::lock_guard lock(mutex_);
  zygote.ended[ended.worker] = ended;
  // Numbers only grow: the first is the oldest.
  if (zygote.ended.size() > kEndsKept) zygote.ended.erase(zygote.ended.begin());
  ended_.notify_all();
}

void Stock::note_lost(Zygote& zygote) {
  const std::lock_guard lock(mutex_);
  zygote.lost = true;
  ended_.notify_all();
}

bool Stock::worn_out(const Zygote& zygote, std::uint32_t max_crashes) {
  const std::lock_guard lock(mutex_);
  return zygote.crashes >= max_crashes;
}

}  // namespace pixmilter::worker
