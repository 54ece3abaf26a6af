// SingleFlight: of all threads that want the same thing at the same moment one makes it, the others wait.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/deadline.h"
#include "base/hash.h"

namespace pixmilter::source {

// Safe from every thread. T is copied to everyone who waits.
//
// Who leads several and follows others lands all that he leads before he waits for any: so no two threads
// ever wait for each other.
template <class T>
class SingleFlight {
 public:
  class Flight {
    friend class SingleFlight;
    std::condition_variable landed;
    std::optional<T> outcome;
  };
  struct Joined {
    std::shared_ptr<Flight> flight;
    bool leads = false;  // nobody else is at it: the caller makes it, and calls land() whatever happens
  };

  Joined join(const Digest& key) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Flight>& flight = flights_[key];
    const bool leads = flight == nullptr;
    try {
      if (leads) flight = std::make_shared<Flight>();
    } catch (...) {
      flights_.erase(key);
      throw;
    }
    return {flight, leads};
  }

  // By the leader, once. Whoever joins from here on leads a flight of his own.
  void land(const Digest& key, T outcome) {
    const std::lock_guard lock(mutex_);
    const auto found = flights_.find(key);
    if (found == flights_.end()) return;
    found->second->outcome = std::move(outcome);
    found->second->landed.notify_all();
    flights_.erase(found);
  }

  // By the others. Nothing when the deadline passes first.
  std::optional<T> wait(Flight& flight, Deadline deadline) {
    std::unique_lock lock(mutex_);
    while (!flight.outcome) {
      if (deadline.passed()) return std::nullopt;
      flight.landed.wait_for(lock, deadline.left());
    }
    return flight.outcome;
  }

 private:
  std::mutex mutex_;
  std::map<Digest, std::shared_ptr<Flight>> flights_;
};

}  // namespace pixmilter::source
