#include "render/run_helper.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "render/run_deflate.h"

namespace pixmilter::render {

struct RunHelper::Shared {
  enum class State { idle, given, taken, done, end };

  std::mutex mutex;
  std::condition_variable changed;
  State state = State::idle;  // under the mutex
  // The thread's while taken, ours else.
  std::vector<std::uint8_t> strip;
  std::size_t size = 0;
  std::vector<std::uint8_t> deflated;
  std::size_t deflated_size = 0;

  void deflate() { deflated_size = deflate_runs(strip.data(), size, deflated.data()); }

  void change(State to) {
    {
      const std::lock_guard lock(mutex);
      state = to;
    }
    changed.notify_one();
  }

  void run() {
    for (;;) {
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return state == State::given || state == State::end; });
        if (state == State::end) return;
        state = State::taken;
      }
      deflate();
      change(State::done);
    }
  }
};

RunHelper::~RunHelper() {
  if (!shared_) return;
  if (busy_) static_cast<void>(take());
  shared_->change(Shared::State::end);
}

bool RunHelper::start() {
  if (std::thread::hardware_concurrency() < 2) return false;
  shared_ = std::make_shared<Shared>();
  try {
    std::thread([shared = shared_] { shared->run(); }).detach();
  } catch (const std::system_error&) {
    shared_.reset();
  }
  return shared_ != nullptr;
}

void RunHelper::give(std::vector<std::uint8_t>& strip, std::size_t size) {
  std::swap(shared_->strip, strip);
  shared_->size = size;
  auto& deflated = shared_->deflated;
  deflated.resize(std::max(deflated.size(), deflate_runs_bound(size)));
  busy_ = true;
  shared_->change(Shared::State::given);
}

std::span<const std::uint8_t> RunHelper::take() {
  using State = Shared::State;
  busy_ = false;
  bool begun = true;
  {
    std::unique_lock lock(shared_->mutex);
    begun = shared_->state != State::given;
    if (begun) shared_->changed.wait(lock, [this] { return shared_->state == State::done; });
    shared_->state = State::idle;
  }
  if (!begun) shared_->deflate();
  return {shared_->deflated.data(), shared_->deflated_size};
}

}  // namespace pixmilter::render
