#include "worker/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/socket.h"

namespace pixmilter::worker {
namespace {

constexpr Milliseconds kConnectTimeout{10'000};
// Idle workers that die are noticed within this time even when nobody asks for them.
constexpr Milliseconds kLongestSleep{1'000};
// This many failures in a row are tried again at once.
constexpr std::uint32_t kPatientFailures = 2;
constexpr Milliseconds kFirstPause{200};
constexpr Milliseconds kLongestPause{10'000};
constexpr Milliseconds kComplaintPause{60'000};
// What the render program writes to stderr goes to our log, within bounds.
constexpr std::uint32_t kDiagnosticLines = 20;
constexpr Milliseconds kDiagnosticPause{10'000};
constexpr std::size_t kDiagnosticLine = 200;
// What workers say their seal lacks is a sentence or two; one that was taken over might say more.
constexpr std::size_t kReportsKept = 8;

}  // namespace

Keeper::Keeper(Stock& stock, const PoolOptions& options, std::unique_ptr<ZygoteSource> source,
               Statistics& statistics)
    : stock_(stock),
      options_(options),
      source_(std::move(source)),
      statistics_(statistics),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Keeper::~Keeper() {
  stop_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

void Keeper::wake() {
  std::call_once(once_, [this] { thread_ = std::thread([this] { run(); }); });
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void Keeper::run() {
  while (!stop_) {
    refill();
    watch();
    give_up_slow_starts();
    beat();
    see_off();
    source_->tidy();
  }
  starting_.clear();
  if (zygote_) stock_.drop_idle_of(*zygote_);
  zygote_.reset();
  // Here, because a zygote is killed when the thread that started it ends.
  source_.reset();
}

std::size_t Keeper::starting(wire::Purpose purpose) const {
  return static_cast<std::size_t>(std::count_if(starting_.begin(), starting_.end(), [&](const Starting& one) {
    return one.worker->purpose == purpose;
  }));
}

// How many workers of a purpose there shall be before they are needed.
std::size_t Keeper::target_of(wire::Purpose purpose) const {
  switch (purpose) {
    case wire::Purpose::picture:
      return options_.workers;
    case wire::Purpose::svg:
      return options_.spares;
    case wire::Purpose::tiff:
    case wire::Purpose::heif:
      // Many servers never meet one.
      return met_[index(purpose)] ? options_.spares : 0;
  }
  return 0;
}

// How many workers of a purpose to ask for now.
std::size_t Keeper::lacking(wire::Purpose purpose, const StockView& view) const {
  const std::size_t coming = starting(purpose);
  std::size_t lack = 0;
  if (options_.ahead) {
    const std::size_t target = target_of(purpose);
    const std::size_t there = view.lasting[index(purpose)] + coming;
    lack = target > there ? target - there : 0;
  }
  // Those who wait get new workers only as far as they could be at work at once.
  const std::size_t wanted = view.wanted[index(purpose)];
  const std::size_t in_use = view.busy + starting_.size();
  const std::size_t room = options_.workers > in_use ? options_.workers - in_use : 0;
  return std::max(lack, std::min(wanted > coming ? wanted - coming : 0, room));
}

void Keeper::refill() {
  if (zygote_ && stock_.worn_out(*zygote_, options_.crashes_per_zygote)) {
    log::notice("render zygote " + std::to_string(zygote_->pid) + " is replaced: " +
                std::to_string(options_.crashes_per_zygote) + " of its workers have crashed");
    if (zygote_->pidfd)
      leaving_.push_back({zygote_, UniqueFd(::fcntl(zygote_->pidfd.get(), F_DUPFD_CLOEXEC, 0)), {}});
    drop_zygote("replaced", false);
  }
  const StockView view = stock_.view();
  for (const auto purpose : wire::kAllPurposes) {
    const Patience& patience = patience_[index(purpose)];
    met_[index(purpose)] = met_[index(purpose)] || view.wanted[index(purpose)] > 0;
    for (std::size_t lack = lacking(purpose, view); lack > 0; --lack) {
      if (!patience.next.passed()) {
        stock_.fail(purpose, patience.reason);
        break;
      }
      if (!have_zygote()) {
        stock_.fail(purpose, zygote_patience_.reason);
        break;
      }
      request(purpose);
    }
  }
}

bool Keeper::have_zygote() {
  if (zygote_) return true;
  if (!zygote_patience_.next.passed()) return false;
  auto socket = source_->connect(Deadline::after(kConnectTimeout));
  if (!socket) {
    failed(zygote_patience_, socket.error().text, true);
    return false;
  }
  zygote_ = std::make_shared<Zygote>();
  zygote_->socket = std::move(*socket);
  zygote_proved_ = false;
  heard();
  ++zygotes_started_;
  ++statistics_.zygotes_started;
  return true;
}

void Keeper::request(wire::Purpose purpose) {
  auto worker = std::make_unique<WorkerProcess>();
  worker->number = next_number_++;
  worker->purpose = purpose;
  worker->zygote = zygote_;
  const auto message = wire::encode(wire::Fork{worker->number, purpose});
  const auto sent = send_packet(zygote_->socket.get(), message, {}, false);
  // A zygote that is gone is noticed by reading, one that hangs by the start that never comes.
  static_cast<void>(sent);
  starting_.push_back(
      {std::move(worker), Deadline::after(options_.fork_timeout), Deadline::after(options_.start_timeout)});
}

// The zygote goes with all that waits for it; those of its workers that are at work end theirs, unless
// it has died, which kills them.
void Keeper::drop_zygote(const std::string& why, bool kill) {
  if (!zygote_) return;
  stock_.note_lost(*zygote_);
  if (kill) {
    kill_process(zygote_->pidfd.get());
    if (!zygote_proved_) failed(zygote_patience_, why, false);
  }
  std::erase_if(starting_, [&](const Starting& one) { return one.worker->zygote == zygote_; });
  stock_.drop_idle_of(*zygote_);
  zygote_.reset();
}

void Keeper::failed(Patience& patience, const std::string& reason, bool at_once) {
  patience.reason = reason;
  ++patience.failures;
  if (at_once || patience.failures > kPatientFailures) {
    const std::uint32_t doublings = std::min(patience.failures - 1, 6U);
    patience.next = Deadline::after(std::min(kFirstPause * (1 << doublings), kLongestPause));
    statistics_.failing = true;
    complain(reason);
  }
}

void Keeper::start_failed(std::uint64_t number, const std::string& reason, bool at_once) {
  const auto one = std::find_if(starting_.begin(), starting_.end(),
                                [&](const Starting& each) { return each.worker->number == number; });
  if (one == starting_.end()) return;
  failed(patience_[index(one->worker->purpose)], reason, at_once);
  one->worker->kill();
  starting_.erase(one);
}

void Keeper::watch() {
  std::vector<pollfd> polled;
  polled.push_back({wake_.get(), POLLIN, 0});
  const bool with_zygote = zygote_ != nullptr;
  const bool with_diagnostics = with_zygote && zygote_->diagnostics;
  if (with_zygote) polled.push_back({zygote_->socket.get(), POLLIN, 0});
  if (with_diagnostics) polled.push_back({zygote_->diagnostics.get(), POLLIN, 0});
  const std::size_t fixed = polled.size();
  std::vector<std::uint64_t> numbers;
  for (const Starting& one : starting_)
    if (one.worker->socket) {
      polled.push_back({one.worker->socket.get(), POLLIN, 0});
      numbers.push_back(one.worker->number);
    }
  const std::size_t starts = numbers.size();
  for (const auto& [fd, number] : stock_.idle_sockets()) {
    polled.push_back({fd, POLLIN, 0});
    numbers.push_back(number);
  }

  Deadline until = Deadline::after(kLongestSleep);
  if (with_zygote && zygote_->pidfd) until = earlier(until, answer_.value_or(ask_));
  for (const Starting& one : starting_) until = earlier(until, next_due(one));
  const auto heed = [&](const Patience& patience) {
    if (patience.failures > 0 && !patience.next.passed()) until = earlier(until, patience.next);
  };
  heed(zygote_patience_);
  for (const Patience& patience : patience_) heed(patience);
  if (::poll(polled.data(), polled.size(), poll_milliseconds(until)) <= 0) return;

  if (polled[0].revents != 0) {
    std::uint64_t count;
    [[maybe_unused]] const ssize_t emptied = ::read(wake_.get(), &count, sizeof count);
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (polled[fixed + i].revents == 0) continue;
    if (i < starts)
      hear_starting(numbers[i]);
    else if (stock_.drop_idle(numbers[i]))
      statistics_.ended(WorkerEnd::idle), log::warning("an idle render worker has gone and is replaced");
  }
  if (with_diagnostics && polled[2].revents != 0) hear_diagnostics();
  if (with_zygote && polled[1].revents != 0) hear_zygote();
}

void Keeper::hear_zygote() {
  for (;;) {
    Packet packet;
    const auto transfer = receive_packet(zygote_->socket.get(), wire::kMaxMessage, false, packet);
    if (transfer == Transfer::again) return;
    if (transfer != Transfer::done) {
      log::warning("render zygote " + std::to_string(zygote_->pid) + " has gone");
      return drop_zygote("the render program ended while it started", true);
    }
    heard();
    if (const auto hello = wire::decode<wire::Hello>(packet.bytes); hello && packet.fds.size() == 2) {
      zygote_->pid = hello->pid;
      zygote_->pidfd = std::move(packet.fds[0]);
      zygote_->diagnostics = std::move(packet.fds[1]);
      for (Starting& one : starting_) one.answer = Deadline::after(options_.fork_timeout);
    } else if (const auto ended = wire::decode<wire::Ended>(packet.bytes)) {
      stock_.note_end(*zygote_, *ended);
    } else if (const auto forked = wire::decode<wire::Forked>(packet.bytes)) {
      const auto one = std::find_if(starting_.begin(), starting_.end(), [&](const Starting& each) {
        return each.worker->number == forked->worker;
      });
      if (one == starting_.end()) continue;  // given up; its socket closes here
      if (forked->pid == 0 || packet.fds.size() != 2) {
        start_failed(forked->worker, "the render zygote cannot fork", false);
        continue;
      }
      one->worker->pid = forked->pid;
      one->worker->socket = std::move(packet.fds[0]);
      one->worker->pidfd = std::move(packet.fds[1]);
    } else if (wire::decode<wire::Pong>(packet.bytes)) {
      continue;  // it is there
    } else {
      log::error("render zygote " + std::to_string(zygote_->pid) + " broke the protocol and is killed");
      return drop_zygote("the render program broke the protocol", true);
    }
  }
}

void Keeper::hear_starting(std::uint64_t number) {
  const auto one = std::find_if(starting_.begin(), starting_.end(),
                                [&](const Starting& each) { return each.worker->number == number; });
  if (one == starting_.end()) return;
  Packet packet;
  const auto transfer = receive_packet(one->worker->socket.get(), wire::kMaxMessage, false, packet);
  if (transfer == Transfer::again) return;
  const auto kind = std::string(wire::name(one->worker->purpose));
  if (transfer != Transfer::done)
    return start_failed(number, "a render worker (" + kind + ") died while it started", false);
  const auto ready = wire::decode<wire::Ready>(packet.bytes);
  if (!ready || !packet.fds.empty())
    return start_failed(number, "a render worker (" + kind + ") broke the protocol while it started", false);
  if (!ready->usable) return start_failed(number, ready->report, true);
  if (!ready->report.empty() && said_.size() < kReportsKept && said_.insert(ready->report).second)
    log::warning(ready->report);
  patience_[index(one->worker->purpose)].failures = 0;
  zygote_patience_.failures = 0;
  zygote_proved_ = true;
  ++workers_started_;
  ++statistics_.workers_started;
  statistics_.failing = false;
  WorkerPtr worker = std::move(one->worker);
  starting_.erase(one);
  stock_.add(std::move(worker));
}

void Keeper::hear_diagnostics() {
  char buffer[4096];
  const ssize_t size = ::read(zygote_->diagnostics.get(), buffer, sizeof buffer);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return zygote_->diagnostics.reset();
  if (lines_again_.passed()) {
    lines_left_ = kDiagnosticLines;
    lines_again_ = Deadline::after(kDiagnosticPause);
  }
  std::string_view rest(buffer, static_cast<std::size_t>(size));
  while (!rest.empty() && lines_left_ > 0) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    if (!line.empty()) {
      log::warning("render program says " + log::quoted(line.substr(0, kDiagnosticLine)));
      --lines_left_;
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
}

Deadline Keeper::next_due(const Starting& one) const {
  const bool answers = one.worker->socket || !zygote_ || !zygote_->pidfd;
  return answers ? one.ready : earlier(one.answer, one.ready);
}

void Keeper::give_up_slow_starts() {
  for (const Starting& one : starting_) {
    if (!next_due(one).passed()) continue;
    if (!one.worker->socket) return drop_zygote("the render zygote does not answer", true);
    return start_failed(one.worker->number, "a render worker was not ready in time", false);
  }
}

void Keeper::see_off() {
  std::erase_if(leaving_, [&](Leaving& one) {
    if (!one.pidfd || wait_readable(one.pidfd.get(), Deadline::after(Milliseconds(0))))
      return true;  // it has ended
    if (!one.zygote.expired()) return false;
    if (!one.until) one.until = Deadline::after(options_.silence);
    if (!one.until->passed()) return false;
    kill_process(one.pidfd.get());
    return true;
  });
}

// A zygote that hangs, or is stopped, while nothing is asked of it would be found out by the message that
// needs it.
void Keeper::beat() {
  if (!zygote_ || !zygote_->pidfd) return;  // one that is starting is waited for by its workers
  if (answer_ && answer_->passed()) {
    log::warning("render zygote " + std::to_string(zygote_->pid) + " does not answer and is replaced");
    return drop_zygote("the render zygote does not answer", true);
  }
  if (answer_ || !ask_.passed()) return;
  const auto sent = send_packet(zygote_->socket.get(), wire::encode(wire::Ping{++pings_}), {}, false);
  static_cast<void>(sent);  // a full socket is no answer either
  answer_ = Deadline::after(options_.silence);
}

void Keeper::heard() {
  answer_.reset();
  ask_ = Deadline::after(options_.heartbeat);
}

// Says the same thing only once a minute.
void Keeper::complain(const std::string& text) {
  if (text == last_complaint_ && !complain_again_.passed()) return;
  last_complaint_ = text;
  complain_again_ = Deadline::after(kComplaintPause);
  log::error(text);
}

}  // namespace pixmilter::worker
