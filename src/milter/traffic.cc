#include "milter/traffic.h"

#include <utility>

namespace pixmilter::milter {

void Traffic::use(std::shared_ptr<const Engine> engine) {
  {
    const std::lock_guard lock(mutex_);
    engine_.swap(engine);
  }
  // The old one, where this was the last holder, goes here, outside the lock.
}

std::unique_ptr<Admission> Traffic::admit() {
  const std::lock_guard lock(mutex_);
  if (draining_) return nullptr;
  std::unique_ptr<Admission> admission(new Admission(*this, engine_));
  ++in_hand_;
  worked_ = true;
  return admission;
}

void Traffic::drain() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

bool Traffic::draining() const {
  const std::lock_guard lock(mutex_);
  return draining_;
}

bool Traffic::wait_idle(Deadline deadline) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, deadline.left(), [this] { return in_hand_ == 0; });
}

bool Traffic::rests() {
  const std::lock_guard lock(mutex_);
  return in_hand_ == 0 && std::exchange(worked_, false);
}

void Traffic::enter() {
  const std::lock_guard lock(mutex_);
  ++connections_;
}

void Traffic::leave() {
  const std::lock_guard lock(mutex_);
  if (--connections_ == 0) idle_.notify_all();
}

bool Traffic::wait_alone(Deadline deadline) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, deadline.left(), [this] { return connections_ == 0; });
}

unsigned long Traffic::in_hand() const {
  const std::lock_guard lock(mutex_);
  return in_hand_;
}

Admission::~Admission() {
  const std::lock_guard lock(traffic_.mutex_);
  if (--traffic_.in_hand_ == 0) traffic_.idle_.notify_all();
}

}  // namespace pixmilter::milter
