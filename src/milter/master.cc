#include "milter/master.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/memfd.h"
#include "base/socket.h"
#include "milter/control.h"
#include "milter/notify.h"
#include "milter/reach.h"
#include "milter/respawn.h"
#include "milter/standing.h"
#include "milter/watchdog.h"

namespace pixmilter::milter {
namespace {

constexpr Milliseconds kLongestFrontPause{1'000};
// What the front gets beyond the deadline of a message before it is killed, and the others to end by
// themselves.
constexpr Milliseconds kFrontGrace{3'000};
constexpr Milliseconds kOthersGrace{2'000};
// In which a front that is to give way says that it takes no more connections.
constexpr Milliseconds kParting{2'000};

struct FrontProcess {
  pid_t pid;
  UniqueFd control;
  std::string reach;  // identity() of what it is confined to
};

// A front that another has taken over from: it serves its last connections.
struct FormerFront {
  pid_t pid;
  UniqueFd control;
  Clock::time_point kill_at;
};

class Master {
 public:
  Master(ListenSocket& listen, MasterOptions options)
      : listen_(listen),
        options_(std::move(options)),
        settings_(options_.configuration.loaded.settings),
        zygotes_({"render zygote", "no picture can be rendered", options_.start_zygote,
                  [](const config::Settings&) { return true; }}),
        fetchers_({"fetch process", "no URL can be fetched", options_.start_fetcher,
                   [](const config::Settings& settings) { return !settings.fetch.allow.empty(); }}) {
    if (const auto interval = watchdog_interval()) watchdog_.emplace(listen_.fd(), *interval);
  }

  int run() {
    if (auto ready = take_signals(); !ready) {
      log::error(ready.error().text);
      return 71;
    }
    if (auto standing = Standing::make())
      standing_ = *standing;
    else
      log::warning(standing.error().text);
    log::notice("serving on " + listen_.name() + ", configuration: " + options_.configuration.name);
    while (!over()) {
      start_what_is_missing();
      wait();
    }
    end_children();
    log::notice("ended");
    return 0;
  }

 private:
  Status take_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, signal);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    // A background job of a terminal with `stty tostop` may still write its log there.
    ::signal(SIGTTOU, SIG_IGN);
    signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) return Error{std::string("cannot take signals: ") + std::strerror(errno)};
    return Done{};
  }

  bool over() const { return ending_ && !front_ && former_.empty(); }

  void start_what_is_missing() {
    for (FormerFront& former : former_)
      if (former.kill_at <= Clock::now()) {
        log::warning("a former front does not end: killing it");
        ::kill(former.pid, SIGKILL);
        former.kill_at = Clock::time_point::max();
      }
    if (ending_) {
      if (front_ && kill_at_ <= Clock::now()) {
        log::warning("the front does not end: killing it");
        ::kill(front_->pid, SIGKILL);
        kill_at_ = Clock::time_point::max();
      }
    } else if (!front_ && front_respawn_.due()) {
      start_front();
    }
    zygotes_.start_what_is_missing(settings_, ending_);
    hand_over(zygotes_, control::Kind::zygote);
    fetchers_.start_what_is_missing(settings_, ending_);
    hand_over(fetchers_, control::Kind::fetcher);
  }

  void start_front() {
    auto ends = socket_pair();
    if (!ends) return front_failed(ends.error().text);
    front_respawn_.started();
    Reach reach = front_reach(settings_);
    std::string reach_identity = identity(reach);
    const pid_t pid = ::fork();
    if (pid < 0) return front_failed(std::strerror(errno));
    if (pid == 0) {
      ends->first.reset();
      become_front(std::move(ends->second), std::move(reach));
    }
    front_ = FrontProcess{pid, std::move(ends->first), std::move(reach_identity)};
    zygotes_.want_nothing();
    fetchers_.want_nothing();
    log::info("front " + std::to_string(pid) + " started");
  }

  void front_failed(const std::string& why) {
    log::error("cannot start the front: " + why);
    front_respawn_.died();
  }

  // In the child: keeps the socket and the configuration, and nothing else of the master's.
  [[noreturn]] void become_front(UniqueFd control, Reach reach) {
    signals_.reset();
    zygotes_.forget();
    fetchers_.forget();
    front_.reset();
    former_.clear();
    watchdog_.reset();
    listen_.disown_file();
    run_front({listen_.fd(), listen_.local(), std::move(control), settings_, std::move(reach),
               std::move(options_.make_renderer), std::move(options_.metrics), standing_,
               std::move(options_.statistics)});
  }

  // Connections wait in the socket's queue meanwhile.
  void replace_front() {
    if (!front_->control) return;  // it has ended: SIGCHLD brings another
    const Milliseconds most = settings_.milter.deadline;
    control::send(front_->control.get(),
                  {control::Kind::leave, static_cast<std::uint64_t>(most.count()), {}, {}});
    for (const Deadline patience = Deadline::after(kParting);
         wait_readable(front_->control.get(), patience);) {
      const auto received = control::receive(front_->control.get());
      if (received.how == Transfer::closed || received.how == Transfer::broken) break;
      if (received.letter && received.letter->kind == control::Kind::leaving) break;
    }
    log::info("front " + std::to_string(front_->pid) + " gives way to one that may read other files");
    former_.push_back({front_->pid, std::move(front_->control), Clock::now() + 2 * most + kFrontGrace});
    front_.reset();
    start_front();
  }

  void hand_over(Attendants& attendants, control::Kind kind) {
    if (!front_) return;
    std::optional<UniqueFd> line = attendants.take_wanted_line();
    if (!line) return;
    control::Letter letter{kind, 0, {}, {}};
    letter.fds.push_back(*std::move(line));
    control::send(front_->control.get(), letter);
  }

  int milliseconds_to_wait() const {
    auto next = Clock::time_point::max();
    if (ending_) next = std::min(next, kill_at_);
    for (const FormerFront& former : former_) next = std::min(next, former.kill_at);
    if (!front_ && !ending_) next = std::min(next, front_respawn_.next());
    next = std::min(next, zygotes_.next_start(settings_, ending_));
    next = std::min(next, fetchers_.next_start(settings_, ending_));
    if (watchdog_) next = std::min(next, watchdog_->next());
    return poll_milliseconds(Deadline(next));
  }

  void wait() {
    pollfd watched[3] = {{signals_.get(), POLLIN, 0},
                         {front_ ? front_->control.get() : -1, POLLIN, 0},
                         {watchdog_ ? watchdog_->fd() : -1, watchdog_ ? watchdog_->events() : short{0}, 0}};
    if (::poll(watched, 3, milliseconds_to_wait()) < 0 && errno != EINTR) {
      log::error(std::string("poll: ") + std::strerror(errno));
      ::usleep(100'000);
      return;
    }
    if (watched[1].revents != 0) read_letters();
    if (watchdog_ && watchdog_->step()) notify_manager("WATCHDOG=1");
    if (watched[0].revents != 0) read_signals();
  }

  void read_letters() {
    while (front_) {
      auto received = control::receive(front_->control.get());
      if (received.how == Transfer::again) return;
      if (received.how != Transfer::done) {
        // It has ended or will have to: SIGCHLD tells how. Until then there is nothing to read.
        front_->control.reset();
        return;
      }
      if (!received.letter) continue;
      if (received.letter->kind == control::Kind::want_zygote) zygotes_.want();
      if (received.letter->kind == control::Kind::want_fetcher) fetchers_.want();
      if (received.letter->kind == control::Kind::serving && !told_ready_) {
        told_ready_ = true;
        notify_manager("READY=1\nSTATUS=Serving on " + listen_.name());
      }
    }
  }

  void read_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      switch (static_cast<int>(info.ssi_signo)) {
        case SIGHUP:
          reload();
          break;
        case SIGINT:
          // A second ^C at a terminal is from somebody who does not want to wait.
          if (ending_) kill_at_ = Clock::now();
          end();
          break;
        case SIGTERM:
          end();
          break;
        default:
          reap();
      }
    }
  }

  void reload() {
    if (ending_) return;
    notify_reloading();
    Configuration fresh = options_.reread();
    if (fresh.loaded.ok()) {
      take_on(std::move(fresh));
    } else {
      for (const auto& problem : fresh.loaded.problems) log::error(problem.text());
      refuse();
    }
    notify_manager("READY=1");
  }

  void refuse() {
    log::error("the configuration is refused; the one from before stays in force");
    if (standing_ == nullptr) return;
    ++standing_->refused;
    standing_->last_reload_ok = false;
  }

  void take_on(Configuration fresh) {
    const std::string& watched = fresh.loaded.settings.metrics.listen;
    const bool watched_elsewhere = watched != settings_.metrics.listen && options_.listen_for_metrics;
    if (watched_elsewhere) {
      auto socket = options_.listen_for_metrics(watched);
      if (!socket) {
        log::error(fresh.name + ": " + socket.error().text);
        return refuse();
      }
      options_.metrics = *std::move(socket);
    }
    const auto& milter = fresh.loaded.settings.milter;
    const bool moved = milter.socket != settings_.milter.socket ||
                       milter.socket_mode != settings_.milter.socket_mode ||
                       milter.socket_group != settings_.milter.socket_group;
    if (moved) log::warning("[milter] socket, socket_mode and socket_group take effect at the next start");
    const bool same_reach = front_ && front_->reach == identity(front_reach(fresh.loaded.settings));
    if (same_reach) {
      auto text = sealed_memfd(fresh.text);
      if (!text) {
        log::error("reload: " + text.error().text);
        return;
      }
      control::Letter letter{control::Kind::reload, fresh.text.size(), fresh.name, {}};
      letter.fds.push_back(*std::move(text));
      if (!control::send(front_->control.get(), letter)) {
        log::error("reload: the front does not answer; the configuration from before stays in force");
        return;
      }
      if (watched_elsewhere) hand_over_metrics();
    }
    if (standing_ != nullptr) {
      ++standing_->generation;
      standing_->in_force_since = ::time(nullptr);
      standing_->last_reload_ok = true;
    }
    // A zygote that nobody has yet was made for the old settings; without a connection it ends.
    if (fresh.loaded.settings.render != settings_.render) zygotes_.renew();
    fetchers_.renew();
    log::use(fresh.loaded.settings.log);
    settings_ = std::move(fresh.loaded.settings);
    if (front_ && !same_reach) replace_front();
    log::notice("configuration " + fresh.name + " is in force");
  }

  void hand_over_metrics() {
    control::Letter letter{options_.metrics ? control::Kind::metrics : control::Kind::no_metrics, 0, {}, {}};
    if (options_.metrics) letter.fds.emplace_back(::fcntl(options_.metrics.get(), F_DUPFD_CLOEXEC, 3));
    control::send(front_->control.get(), letter);
  }

  void end() {
    if (ending_) return;
    ending_ = true;
    notify_manager("STOPPING=1\nSTATUS=Finishing the messages in hand");
    watchdog_.reset();
    log::notice("ending after the messages in hand");
    const Milliseconds most = settings_.milter.deadline;
    kill_at_ = std::min(kill_at_, Clock::now() + most + kFrontGrace);
    const control::Letter drain{control::Kind::drain, static_cast<std::uint64_t>(most.count()), {}, {}};
    // The end of the line means the same.
    if (front_ && !control::send(front_->control.get(), drain)) front_->control.reset();
    for (FormerFront& former : former_) {
      former.kill_at = std::min(former.kill_at, kill_at_);
      if (!control::send(former.control.get(), drain)) former.control.reset();
    }
  }

  void reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (front_ && front_->pid == pid) {
        front_.reset();
        front_respawn_.died();
        if (!ending_ && standing_ != nullptr) ++standing_->front_restarts;
        if (!ending_)
          log::error("front " + std::to_string(pid) + " " + how_it_ended(status) + "; starting another");
        continue;
      }
      if (std::erase_if(former_, [pid](const FormerFront& one) { return one.pid == pid; }) > 0) continue;
      if (!zygotes_.reap(pid, status)) fetchers_.reap(pid, status);
    }
  }

  void end_children() {
    zygotes_.renew();
    fetchers_.renew();
    const Deadline patience = Deadline::after(kOthersGrace);
    while (!(zygotes_.empty() && fetchers_.empty()) && !patience.passed()) {
      reap();
      pollfd signals{signals_.get(), POLLIN, 0};
      if (!(zygotes_.empty() && fetchers_.empty()) && ::poll(&signals, 1, poll_milliseconds(patience)) > 0) {
        signalfd_siginfo info{};
        while (::read(signals_.get(), &info, sizeof info) > 0) {
        }
      }
    }
    zygotes_.kill_all();
    fetchers_.kill_all();
  }

  ListenSocket& listen_;
  MasterOptions options_;
  config::Settings settings_;
  UniqueFd signals_;
  Standing* standing_ = nullptr;  // where there was memory for it
  std::optional<FrontProcess> front_;
  Respawn front_respawn_{kLongestFrontPause};
  std::vector<FormerFront> former_;
  std::optional<Watchdog> watchdog_;
  Attendants zygotes_;
  Attendants fetchers_;
  bool ending_ = false;
  bool told_ready_ = false;
  Clock::time_point kill_at_ = Clock::time_point::max();
};

}  // namespace

int run_master(ListenSocket& listen, MasterOptions options) {
  return Master(listen, std::move(options)).run();
}

}  // namespace pixmilter::milter
