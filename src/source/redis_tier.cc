#include "source/redis_tier.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.h"
#include "source/redis_connection.h"

namespace pixmilter::source {
namespace {

// What waits to be written, at most; memory beside the limit of [cache] memory.
constexpr std::size_t kMostQueued = 64;
constexpr std::uint64_t kMostQueuedBytes = 32u << 20;

// How long a server that refuses to write (it is full, or a replica) is not asked to.
constexpr Milliseconds kWritePause(5'000);

// The thread has more time than mail: nobody waits for it.
constexpr int kAside = 10;

}  // namespace

// Held by the tier and by the thread; the last of them takes it away.
struct RedisTier::Shared {
  struct Write {
    Digest key;
    std::uint64_t size;
    std::function<std::string()> make;
  };
  using ConnectionPtr = std::unique_ptr<RedisConnection>;

  Shared(const RedisOptions& with, std::shared_ptr<CacheCounters> with_counters)
      : options(with), counters(std::move(with_counters)), pause(with.pause) {}

  const RedisOptions options;
  const std::shared_ptr<CacheCounters> counters;

  std::mutex mutex;
  std::condition_variable changed;  // for the thread
  std::condition_variable ready;    // for mail: a connection is idle, or none will be
  std::condition_variable over;     // for the destructor
  std::vector<ConnectionPtr> idle;
  std::uint32_t made = 0;    // connections for reading, idle or in use
  std::uint32_t wanted = 1;  // connections that somebody waits for; one is kept ready
  std::deque<Write> writes;
  std::uint64_t queued_bytes = 0;
  std::uint32_t failures = 0;  // in a row
  bool open = false;           // the circuit: the server is left alone
  Deadline closed_again = Deadline::after(Milliseconds(0));
  Deadline writes_again = Deadline::after(Milliseconds(0));
  Milliseconds pause;
  bool said = false;  // that it fails; said again only after it has answered
  bool stop = false;
  bool ended = false;

  std::string name(const Digest& key) const { return options.prefix + hex(key); }

  // With the lock.
  void failed(const std::string& why, bool at_once) {
    ++counters->redis_failures;
    if (open || (++failures < options.failures_to_open && !at_once)) return;
    open = true;
    closed_again = Deadline::after(pause);
    pause = std::min(pause * 2, options.longest_pause);
    made -= static_cast<std::uint32_t>(idle.size());
    idle.clear();
    counters->redis_skipped += writes.size();
    writes.clear();
    queued_bytes = 0;
    ready.notify_all();
    changed.notify_one();
    if (!std::exchange(said, true)) log::warning("Redis: " + why + "; left alone for a while");
  }

  // With the lock. What counts is that work is done: a server that greets and then hangs has not answered.
  void answered() {
    failures = 0;
    pause = options.pause;
    if (std::exchange(said, false)) log::info("Redis: " + options.address.text() + " answers again");
  }

  // A connection that is ready; nothing when there is none in time.
  ConnectionPtr take(Deadline deadline) {
    std::unique_lock lock(mutex);
    bool asked = false;
    for (;;) {
      while (!idle.empty()) {
        ConnectionPtr connection = std::move(idle.back());
        idle.pop_back();
        if (asked && wanted > 0) --wanted;
        if (!connection->stale()) return connection;
        --made;
        asked = false;
      }
      if (!open && !std::exchange(asked, true)) {
        ++wanted;
        changed.notify_one();
      }
      // After a failure nobody waits for the next connection: it may fail as well.
      if (open || stop || failures > 0 || deadline.passed()) {
        if (asked && wanted > 0) --wanted;
        return nullptr;
      }
      ready.wait_for(lock, deadline.left());
    }
  }

  void give_back(ConnectionPtr connection) {
    const std::lock_guard lock(mutex);
    if (open) {  // another has failed meanwhile
      --made;
      return;
    }
    answered();
    idle.push_back(std::move(connection));
    ready.notify_one();
  }

  void lose(ConnectionPtr connection, const std::string& why) {
    connection.reset();
    const std::lock_guard lock(mutex);
    --made;
    failed(options.address.text() + ": " + why, false);
  }

  void run();
  Status write(ConnectionPtr& connection, const Write& write);
};

// The thread: connects where somebody waits, probes where the server was left alone, writes.
void RedisTier::Shared::run() {
  ConnectionPtr writer;
  std::unique_lock lock(mutex);
  while (!stop || (!writes.empty() && !open)) {
    if (open && !closed_again.passed()) {
      writer.reset();
      changed.wait_for(lock, closed_again.left());
      continue;
    }
    const bool connect = open || (idle.empty() && wanted > 0 && made < options.connections && !stop);
    if (connect) {
      lock.unlock();
      Result<ConnectionPtr> connection = Error{"no memory"};
      try {
        connection = RedisConnection::connect(options.address, options.max_value,
                                              Deadline::after(options.timeout * kAside));
      } catch (const std::exception&) {
      }
      lock.lock();
      if (!connection) {
        open = false;
        failed(connection.error().text, true);
        continue;
      }
      // Half open: one more failure and it is left alone again, for longer.
      if (std::exchange(open, false)) failures = options.failures_to_open - 1;
      ++made;
      idle.push_back(std::move(*connection));
      ready.notify_one();
      continue;
    }
    if (!writes.empty()) {
      const Write next = std::move(writes.front());
      writes.pop_front();
      queued_bytes -= next.size;
      lock.unlock();
      Status written = Error{"no memory"};
      try {
        written = write(writer, next);
      } catch (const std::exception&) {
        writer.reset();
      }
      lock.lock();
      if (written)
        answered();
      else
        failed(written.error().text, false);
      continue;
    }
    changed.wait(lock);
  }
  ended = true;
  over.notify_all();
}

// An Error: the connection is of no more use. That the server refuses a value is none.
Status RedisTier::Shared::write(ConnectionPtr& connection, const Write& write) {
  if (connection && connection->stale()) connection.reset();
  if (!connection) {
    Result<ConnectionPtr> made_now = RedisConnection::connect(options.address, options.max_value,
                                                              Deadline::after(options.timeout * kAside));
    if (!made_now) return made_now.error();
    connection = std::move(*made_now);
  }
  const std::string value = write.make();
  if (value.size() > options.max_value) return Done{};
  connection->queue({"SET", name(write.key), value, "PX", std::to_string(options.ttl.count())});
  std::vector<RedisReply> replies;
  if (Status done = connection->exchange(replies, Deadline::after(options.timeout * kAside)); !done) {
    connection.reset();
    return Error{options.address.text() + ": " + done.error().text};
  }
  if (replies.front().kind == RedisReply::Kind::text) {
    ++counters->redis_writes;
    return Done{};
  }
  const std::lock_guard lock(mutex);
  ++counters->redis_failures;
  writes_again = Deadline::after(kWritePause);
  return Done{};
}

RedisTier::RedisTier(const RedisOptions& options, std::shared_ptr<CacheCounters> counters)
    : shared_(std::make_shared<Shared>(options, std::move(counters))) {
  std::thread([shared = shared_] { shared->run(); }).detach();
}

RedisTier::~RedisTier() {
  std::unique_lock lock(shared_->mutex);
  shared_->stop = true;
  shared_->changed.notify_one();
  shared_->ready.notify_all();
  shared_->over.wait_for(lock, shared_->options.timeout * 2, [this] { return shared_->ended; });
  shared_->counters->redis_skipped += shared_->writes.size();
  shared_->writes.clear();
}

std::vector<std::optional<std::string>> RedisTier::get(std::span<const Digest> keys, Deadline deadline) {
  std::vector<std::optional<std::string>> values(keys.size());
  if (keys.empty()) return values;
  Shared& shared = *shared_;
  CacheCounters& counters = *shared.counters;
  std::unique_ptr<RedisConnection> connection = shared.take(deadline);
  if (!connection) {
    counters.redis_skipped += keys.size();
    return values;
  }
  std::vector<RedisReply> replies;
  try {
    for (const Digest& key : keys) connection->queue({"GET", shared.name(key)});
    Status exchanged = connection->exchange(replies, deadline);
    for (const RedisReply& reply : replies)
      if (exchanged && reply.kind == RedisReply::Kind::error) exchanged = Error{"it answers with an error"};
    if (exchanged)
      shared.give_back(std::move(connection));
    else
      shared.lose(std::move(connection), exchanged.error().text);
  } catch (const std::exception&) {
    shared.lose(std::move(connection), "no memory");
    throw;
  }
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (replies[i].kind == RedisReply::Kind::text)
      values[i] = std::move(replies[i].text);
    else if (replies[i].kind == RedisReply::Kind::nil)
      ++counters.redis_misses;
  }
  return values;
}

void RedisTier::set(const Digest& key, std::uint64_t size, std::function<std::string()> make) {
  const std::lock_guard lock(shared_->mutex);
  if (size > shared_->options.max_value || shared_->open || !shared_->writes_again.passed() ||
      shared_->writes.size() >= kMostQueued || shared_->queued_bytes + size > kMostQueuedBytes) {
    ++shared_->counters->redis_skipped;
    return;
  }
  shared_->writes.push_back({key, size, std::move(make)});
  shared_->queued_bytes += size;
  shared_->changed.notify_one();
}

bool RedisTier::left_alone() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->open;
}

}  // namespace pixmilter::source
