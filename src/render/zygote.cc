#include "render/zygote.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <utility>

#include "base/socket.h"
#include "render/self_test.h"
#include "render/serve.h"
#include "worker/wire.h"

namespace pixmilter::render {

namespace wire = worker::wire;

namespace {

UniqueFd pidfd_of(pid_t pid) { return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

class ZygoteLoop {
 public:
  ZygoteLoop(UniqueFd front, const Options& options, bool namespaces, LastWords& last_words)
      : front_(std::move(front)), surroundings_{options, ::getpid(), namespaces, last_words, {}} {}

  int run() {
    // Before anything is served, and before children are reaped here.
    surroundings_.self_test = self_test(surroundings_.options, surroundings_.namespaces);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, nullptr);
    signals_.reset(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_ || !greet()) return 1;
    for (;;) {
      pollfd polled[] = {{front_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
      if (::poll(polled, 2, -1) < 0 && errno != EINTR) return 1;
      if (polled[1].revents != 0) reap();
      if (polled[0].revents != 0 && !obey()) return end_workers();
    }
  }

 private:
  int end_workers() {
    for (const auto& [number, pid] : workers_) ::kill(pid, SIGKILL);
    while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
    return 0;
  }

  // stderr becomes a pipe that the front reads: a file would be a place to write to.
  bool greet() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
    const UniqueFd read_end(ends[0]);
    const UniqueFd write_end(ends[1]);
    const UniqueFd self = pidfd_of(::getpid());
    if (!self || ::dup2(write_end.get(), STDERR_FILENO) < 0 || ::dup2(write_end.get(), STDOUT_FILENO) < 0)
      return false;
    const int fds[] = {self.get(), read_end.get()};
    const auto hello = wire::encode(wire::Hello{static_cast<std::uint32_t>(::getpid())});
    return send_packet(front_.get(), hello, fds, true) == Transfer::done;
  }

  bool obey() {
    Packet packet;
    const auto transfer = receive_packet(front_.get(), wire::kMaxMessage, false, packet);
    if (transfer == Transfer::again) return true;
    if (transfer != Transfer::done || !packet.fds.empty()) return false;
    if (const auto fork = wire::decode<wire::Fork>(packet.bytes)) {
      make_worker(*fork);
      return true;
    }
    if (const auto kill = wire::decode<wire::Kill>(packet.bytes)) {
      const auto worker = workers_.find(kill->worker);
      if (worker != workers_.end()) ::kill(worker->second, SIGKILL);
      return true;
    }
    if (const auto ping = wire::decode<wire::Ping>(packet.bytes)) {
      tell(wire::encode(wire::Pong{ping->number}), {});
      return true;
    }
    return false;
  }

  void make_worker(const wire::Fork& order) {
    auto ends = socket_pair();
    if (!ends) return tell_failure(order.worker);
    const pid_t pid = ::fork();
    if (pid < 0) return tell_failure(order.worker);
    if (pid == 0) {
      front_.reset();
      signals_.reset();
      ends->first.reset();
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      ::_exit(serve(std::move(ends->second), order.purpose, surroundings_));
    }
    // Not reaped yet, so the number is still this child's.
    const UniqueFd pidfd = pidfd_of(pid);
    workers_[order.worker] = pid;
    if (!pidfd) {
      ::kill(pid, SIGKILL);
      return tell_failure(order.worker);
    }
    const int fds[] = {ends->first.get(), pidfd.get()};
    tell(wire::encode(wire::Forked{order.worker, static_cast<std::uint32_t>(pid)}), fds);
  }

  void reap() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) > 0) {
    }
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      for (auto worker = workers_.begin(); worker != workers_.end(); ++worker) {
        if (worker->second != pid) continue;
        wire::Ended ended{worker->first};
        if (WIFSIGNALED(status)) ended.signal = static_cast<std::uint32_t>(WTERMSIG(status));
        if (WIFEXITED(status)) ended.exit_code = static_cast<std::uint32_t>(WEXITSTATUS(status));
        workers_.erase(worker);
        tell(wire::encode(ended), {});
        break;
      }
    }
  }

  void tell_failure(std::uint64_t worker) { tell(wire::encode(wire::Forked{worker, 0}), {}); }

  // A front that does not listen must not keep us from reaping; what it misses it finds out by itself.
  void tell(std::string_view message, std::span<const int> fds) {
    static_cast<void>(send_packet(front_.get(), message, fds, false));
  }

  UniqueFd front_;
  UniqueFd signals_;
  Surroundings surroundings_;
  std::map<std::uint64_t, pid_t> workers_;  // by the front's number
};

}  // namespace

int run_zygote(UniqueFd front, const Options& options, bool namespaces, LastWords& last_words) {
  return ZygoteLoop(std::move(front), options, namespaces, last_words).run();
}

}  // namespace pixmilter::render
