#include "milter/front.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/memfd.h"
#include "config/load.h"
#include "milter/control.h"
#include "milter/filter.h"
#include "milter/seams.h"
#include "milter/traffic.h"

namespace pixmilter::milter {
namespace {

constexpr int kExitFailure = 70;

// The front's end of the line to the master.
class Line {
 public:
  explicit Line(UniqueFd socket) : socket_(std::move(socket)) {}
  int fd() const { return socket_.get(); }

  // Waits until the master has sent a connection.
  Result<UniqueFd> want_zygote(Deadline deadline) {
    std::unique_lock lock(mutex_);
    if (gone_) return Error{"the master has gone"};
    // One that came too late for whoever asked serves the next. It may have died since; then that shows.
    if (zygotes_.empty() && !asked_) {
      if (!control::send(fd(), {control::Kind::want_zygote, 0, {}, {}}))
        return Error{"the master does not answer"};
      asked_ = true;
    }
    if (!came_.wait_for(lock, deadline.left(), [this] { return gone_ || !zygotes_.empty(); }))
      return Error{"no render zygote in time"};
    if (zygotes_.empty()) return Error{"the master has gone"};
    UniqueFd first = std::move(zygotes_.front());
    zygotes_.pop_front();
    return first;
  }

  void zygote_came(UniqueFd connection) {
    const std::lock_guard lock(mutex_);
    asked_ = false;
    zygotes_.clear();
    zygotes_.push_back(std::move(connection));
    came_.notify_all();
  }

  void master_gone() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    came_.notify_all();
  }

 private:
  const UniqueFd socket_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<UniqueFd> zygotes_;
  bool asked_ = false;
  bool gone_ = false;
};

class Front {
 public:
  explicit Front(FrontOptions options)
      : options_(std::move(options)),
        line_(std::move(options_.control)),
        deadline_(options_.settings.milter.deadline),
        traffic_(engine_for(options_.settings)) {}

  [[noreturn]] void run() {
    if (auto ready = prepare_filter({options_.listen_fd, options_.local}, traffic_); !ready)
      fail(ready.error());
    std::thread([this] { listen_to_master(); }).detach();
    control::send(line_.fd(), {control::Kind::serving, 0, {}, {}});
    fail(run_filter());
  }

 private:
  [[noreturn]] static void fail(const Error& error) {
    log::error(error.text);
    ::_exit(kExitFailure);
  }

  std::shared_ptr<const Engine> engine_for(const config::Settings& settings) {
    return std::make_shared<const Engine>(
        settings, options_.make_renderer(settings, [this](Deadline d) { return line_.want_zygote(d); }));
  }

  void listen_to_master() {
    for (;;) {
      wait_readable(line_.fd(), Deadline());
      auto received = control::receive(line_.fd());
      if (received.how == Transfer::again) continue;
      if (received.how != Transfer::done) {
        log::warning("the master has gone; ending after the messages in hand");
        line_.master_gone();
        drain(deadline_);
      }
      if (!received.letter) continue;
      switch (received.letter->kind) {
        case control::Kind::drain:
          // The master may still have to send a zygote to a message in hand: wait elsewhere.
          std::thread([this, most = Milliseconds(received.letter->number)] { drain(most); }).detach();
          break;
        case control::Kind::reload:
          reload(*received.letter);
          break;
        case control::Kind::zygote:
          line_.zygote_came(std::move(received.letter->fds.front()));
          break;
        case control::Kind::want_zygote:
        case control::Kind::serving:
          break;
      }
    }
  }

  // The master has found the text good; this reads the same bytes.
  void reload(const control::Letter& letter) {
    auto text = copy_memfd(letter.fds.front().get(), letter.number);
    if (!text) {
      log::error("reload: " + text.error().text);
      return;
    }
    auto loaded = config::load_text(*text, letter.text);
    if (!loaded.ok()) {
      log::error("reload: " + loaded.problems.front().text());
      return;
    }
    deadline_ = loaded.settings.milter.deadline;
    traffic_.use(engine_for(loaded.settings));
  }

  [[noreturn]] void drain(Milliseconds most) {
    traffic_.drain();
    if (!traffic_.wait_idle(Deadline::after(most)))
      log::warning("ending although messages are in hand: the time for finishing them is over");
    // Sessions that are between two messages see their connection end; nothing of theirs is lost. Threads of
    // libmilter run on, so no destructor may.
    ::_exit(0);
  }

  FrontOptions options_;
  Line line_;
  Milliseconds deadline_;  // of the listening thread
  Traffic traffic_;
};

}  // namespace

void run_front(FrontOptions options) {
  ::prctl(PR_SET_NAME, "pixmilter-front");
  // ^C at a terminal is for the master. Writing to that terminal stays allowed.
  ::setpgid(0, 0);
  ::signal(SIGTTOU, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    // Never destroyed: threads use it until the process ends.
    (new Front(std::move(options)))->run();
  } catch (const std::exception& exception) {
    log::error(std::string("the front cannot start: ") + exception.what());
    ::_exit(kExitFailure);
  }
}

}  // namespace pixmilter::milter
