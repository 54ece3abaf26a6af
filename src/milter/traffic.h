// Traffic: the connections and messages that are in hand, and whether new ones are still taken.
//
// What ending gracefully means is decided here: from drain() on no message begins, and idle() comes true
// when the last one that had begun is over, its reply written.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "base/buffer_pool.h"
#include "base/deadline.h"
#include "milter/engine.h"
#include "milter/tally.h"

namespace pixmilter::milter {

// A message in hand. Counts from MAIL until it is destroyed.
class Admission;

// Of the buffers that are kept from message to message: each holds nearly every mail, all together some mails
// at once.
inline constexpr std::size_t kLargestBuffer = std::size_t{16} << 20;
inline constexpr std::size_t kBuffers = std::size_t{32} << 20;

// Safe from every thread.
class Traffic {
 public:
  explicit Traffic(std::shared_ptr<const Engine> engine) : engine_(std::move(engine)) {}

  // For messages that begin from now on.
  void use(std::shared_ptr<const Engine> engine);

  // Nothing when draining. An admission must not outlive the traffic.
  std::unique_ptr<Admission> admit();

  void drain();
  bool draining() const;
  // Waits until no message is in hand; false when the deadline passed first.
  bool wait_idle(Deadline deadline);
  unsigned long in_hand() const;

  // For messages as they come, and from those that are over.
  BufferPool& buffers() { return buffers_; }

  // What becomes of the messages.
  Tally& tally() { return tally_; }

  // No message is in hand, and there were some since this was last true.
  bool rests();

  // A connection has come; it has gone.
  void enter();
  void leave();
  // Waits until there is no connection; false when the deadline passed first.
  bool wait_alone(Deadline deadline);

 private:
  friend class Admission;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::shared_ptr<const Engine> engine_;
  unsigned long in_hand_ = 0;
  unsigned long connections_ = 0;
  bool draining_ = false;
  bool worked_ = false;  // since rests() was last true
  BufferPool buffers_{kLargestBuffer, kBuffers};
  Tally tally_;
};

class Admission {
 public:
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  const Engine& engine() const { return *engine_; }

 private:
  friend class Traffic;
  Admission(Traffic& traffic, std::shared_ptr<const Engine> engine)
      : traffic_(traffic), engine_(std::move(engine)) {}
  Traffic& traffic_;
  std::shared_ptr<const Engine> engine_;
};

}  // namespace pixmilter::milter
