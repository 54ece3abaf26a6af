#include "milter/front.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/confine.h"
#include "base/heap.h"
#include "base/large_pages.h"
#include "base/log.h"
#include "base/memfd.h"
#include "config/load.h"
#include "milter/control.h"
#include "milter/filter.h"
#include "milter/metrics_text.h"
#include "milter/seams.h"
#include "milter/status_server.h"
#include "milter/traffic.h"
#include "source/caching_fetcher.h"
#include "source/fetch_client.h"
#include "source/fetch_counters.h"

namespace pixmilter::milter {
namespace {

constexpr int kExitFailure = 70;
// A connection that came just before another front took over has spoken by then.
constexpr Milliseconds kFirstWords{1'000};
// Memory that messages have left behind goes back to the system after so long a pause, and so often without
// one: between what is kept for long, like what the cache has, the holes would get more for hours.
constexpr Milliseconds kRest{1'000};
constexpr Milliseconds kNoRest{10'000};
// Until then it serves the next message: pages that come fresh from the system cost more than all else that
// is done with the bytes on them. Blocks from kOwnMapping bytes on, more than most mail takes, come and go by
// themselves; of what is free at an arena's end no more than kKept bytes stay: a message of ten megabytes and
// what is made of it.
constexpr std::size_t kKept = std::size_t{64} << 20;

// The front's end of the line to the master.
class Line {
 public:
  explicit Line(UniqueFd socket) : socket_(std::move(socket)) {}
  int fd() const { return socket_.get(); }

  // Wait until the master has sent a connection.
  Result<UniqueFd> want_zygote(Deadline deadline) {
    return want(zygote_, {control::Kind::want_zygote, 0, {}, {}}, "no render zygote in time", deadline);
  }
  Result<UniqueFd> want_fetcher(Deadline deadline) {
    return want(fetcher_, {control::Kind::want_fetcher, 0, {}, {}}, "no fetch process in time", deadline);
  }

  void zygote_came(UniqueFd connection) { came(zygote_, std::move(connection)); }
  void fetcher_came(UniqueFd connection) { came(fetcher_, std::move(connection)); }

  // One that nobody has taken yet was started for the configuration from before.
  void forget_fetcher() {
    const std::lock_guard lock(mutex_);
    fetcher_.connection.reset();
  }

  void master_gone() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    came_.notify_all();
  }

 private:
  // A connection to come.
  struct Wanted {
    UniqueFd connection;
    bool asked = false;
  };

  Result<UniqueFd> want(Wanted& wanted, const control::Letter& letter, const char* late, Deadline deadline) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (gone_) return Error{"the master has gone"};
      // One that came too late for whoever asked serves the next. It may have died since; then that shows.
      if (wanted.connection) return std::exchange(wanted.connection, UniqueFd());
      if (deadline.passed()) return Error{late};
      // One request at a time: whoever does not get what comes asks again.
      if (!wanted.asked && !control::send(fd(), letter)) return Error{"the master does not answer"};
      wanted.asked = true;
      came_.wait_for(lock, deadline.left());
    }
  }

  void came(Wanted& wanted, UniqueFd connection) {
    const std::lock_guard lock(mutex_);
    wanted.asked = false;
    wanted.connection = std::move(connection);
    came_.notify_all();
  }

  const UniqueFd socket_;
  std::mutex mutex_;
  std::condition_variable came_;
  Wanted zygote_;
  Wanted fetcher_;
  bool gone_ = false;
};

class Front {
 public:
  explicit Front(FrontOptions options)
      : options_(std::move(options)),
        line_(std::move(options_.control)),
        deadline_(options_.settings.milter.deadline),
        traffic_(engine_for(options_.settings)),
        status_([this](std::string_view path) { return status_page(path); }) {}

  [[noreturn]] void run() {
    if (auto ready = prepare_filter({options_.listen_fd, options_.local}, traffic_); !ready)
      fail(ready.error());
    status_.listen(std::move(options_.metrics));
    std::thread([this] { listen_to_master(); }).detach();
    control::send(line_.fd(), {control::Kind::serving, 0, {}, {}});
    fail(run_filter());
  }

 private:
  [[noreturn]] static void fail(const Error& error) {
    log::error(error.text);
    ::_exit(kExitFailure);
  }

  // A configuration that leaves [render] as it is keeps the workers, which are warm.
  std::shared_ptr<const Engine> engine_for(const config::Settings& settings) {
    if (!renderer_ || settings.render != rendering_) {
      auto made = options_.make_renderer(settings, [this](Deadline d) { return line_.want_zygote(d); });
      renderer_ = std::shared_ptr<worker::Renderer>(made.release(), end_aside);
      rendering_ = settings.render;
    }
    // Likewise what is cached. Its keys say how a picture was rendered, so other rules and limits do no harm.
    if (caching_ != settings.cache) {
      cache_ = source::make_cache(settings.cache, cache_counters_);
      caching_ = settings.cache;
    }
    std::unique_ptr<source::Fetcher> fetcher;
    if (!settings.fetch.allow.empty()) {
      fetcher = std::make_unique<source::CountedFetcher>(
          std::make_unique<source::FetchClient>(settings.fetch,
                                                [this](Deadline d) { return line_.want_fetcher(d); }),
          fetch_counters_);
      if (settings.cache.fetched > 0)
        fetcher = std::make_unique<source::CachingFetcher>(std::move(fetcher), settings.cache.fetched,
                                                           settings.fetch.max_total, fetch_counters_);
    }
    return std::make_shared<const Engine>(settings, renderer_, std::move(fetcher), cache_);
  }

  // Ending a renderer can take as long as its worker processes do. Whoever lets go of it last, a session or
  // the thread that listens to the master, has better things to do.
  static void end_aside(worker::Renderer* renderer) {
    try {
      std::thread([renderer] { delete renderer; }).detach();
    } catch (const std::exception&) {
      delete renderer;
    }
  }

  void give_back_memory() {
    const bool rests = traffic_.rests();
    if (!rests && !give_back_.passed()) return;
    if (rests) {
      traffic_.buffers().release();
      give_back_all_free_pages();
    } else {
      give_back_free_pages();
    }
    give_back_ = Deadline::after(kNoRest);
  }

  void listen_to_master() {
    for (;;) {
      if (!wait_readable(line_.fd(), Deadline::after(kRest))) {
        give_back_memory();
        continue;
      }
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
          drain_aside(Milliseconds(received.letter->number));
          break;
        case control::Kind::leave:
          seams::take_no_connections();
          status_.listen({});  // the other front answers
          control::send(line_.fd(), {control::Kind::leaving, 0, {}, {}});
          leave_aside(Milliseconds(received.letter->number));
          break;
        case control::Kind::reload:
          try {
            reload(*received.letter);
          } catch (const std::exception& exception) {
            log::error(std::string("reload: ") + exception.what());
          }
          break;
        case control::Kind::zygote:
          line_.zygote_came(std::move(received.letter->fds.front()));
          break;
        case control::Kind::fetcher:
          line_.fetcher_came(std::move(received.letter->fds.front()));
          break;
        case control::Kind::metrics:
          status_.listen(std::move(received.letter->fds.front()));
          break;
        case control::Kind::no_metrics:
          status_.listen({});
          break;
        case control::Kind::want_zygote:
        case control::Kind::want_fetcher:
        case control::Kind::serving:
        case control::Kind::leaving:
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
    log::use(loaded.settings.log);
    deadline_ = loaded.settings.milter.deadline;
    line_.forget_fetcher();
    traffic_.use(engine_for(loaded.settings));
  }

  // Healthy: this process answers. Ready: a message that comes now is dealt with.
  StatusPage status_page(std::string_view path) {
    StatusPage page;
    if (path == "/metrics") {
      page.text = metrics_text({&traffic_.tally(), options_.statistics.get(), options_.standing,
                                cache_counters_.get(), &fetch_counters_, traffic_.in_hand()});
      page.type = "text/plain; version=0.0.4; charset=utf-8";
      page.status = 200;
    } else if (path == "/healthy") {
      page.status = 200;
      page.text = "healthy\n";
    } else if (path == "/ready") {
      const worker::Statistics* workers = options_.statistics.get();
      const char* lacking = traffic_.draining()             ? "ending\n"
                            : workers == nullptr            ? nullptr
                            : workers->failing              ? "no render worker can be had\n"
                            : workers->workers_started == 0 ? "no render worker is ready yet\n"
                                                            : nullptr;
      page.status = lacking == nullptr ? 200 : 503;
      page.text = lacking == nullptr ? "ready\n" : lacking;
    } else if (path == "/") {
      page.status = 200;
      page.text = "pixmilter " PIXMILTER_VERSION "\n/metrics\n/healthy\n/ready\n";
    }
    return page;
  }

  // The master may still have to send a zygote to a message in hand, so this thread goes on listening.
  void drain_aside(Milliseconds most) {
    try {
      std::thread([this, most] { drain(most); }).detach();
    } catch (const std::exception&) {
      drain(most);
    }
  }

  // Whoever is connected finishes what he came for, under the configuration that he has met.
  void leave_aside(Milliseconds most) {
    try {
      std::thread([this, most] {
        std::this_thread::sleep_for(kFirstWords);
        static_cast<void>(traffic_.wait_alone(Deadline::after(most)));
        drain(most);
      }).detach();
    } catch (const std::exception&) {
      drain(most);
    }
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
  Milliseconds deadline_;                          // this and the next two: of the listening thread
  Deadline give_back_ = Deadline::after(kNoRest);  // of memory
  std::shared_ptr<worker::Renderer> renderer_;     // of the current configuration
  config::Render rendering_;                       // what it was made for
  std::shared_ptr<source::Cache> cache_;
  std::optional<config::Cache> caching_;
  source::FetchCounters fetch_counters_;
  const std::shared_ptr<source::CacheCounters> cache_counters_ = std::make_shared<source::CacheCounters>();
  Traffic traffic_;
  StatusServer status_;
};

}  // namespace

void run_front(FrontOptions options) {
  ::prctl(PR_SET_NAME, "pixmilter-front");
  // ^C at a terminal is for the master. Writing to that terminal stays allowed.
  ::setpgid(0, 0);
  ::signal(SIGTTOU, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  bound_heap(kOwnMapping, kKept);
  if (const std::string lack = confinement_report(confine(options.reach)); !lack.empty()) log::warning(lack);
  try {
    // Never destroyed: threads use it until the process ends.
    (new Front(std::move(options)))->run();
  } catch (const std::exception& exception) {
    log::error(std::string("the front cannot start: ") + exception.what());
    ::_exit(kExitFailure);
  }
}

}  // namespace pixmilter::milter
