#include "source/fetch_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/socket.h"
#include "source/fetch_client.h"
#include "source/fetch_headers.h"
#include "source/fetch_seal.h"
#include "source/fetch_server.h"

namespace pixmilter::source {
namespace {

constexpr int kLine = 3;  // the descriptor of the line, above the standard ones
constexpr int kExitFailure = 70;
constexpr std::size_t kMaxAuthorities = 16 << 20;
constexpr Milliseconds kParting{1'000};

// What the settings name, read while the process still may.
Result<DownloadRules> read_rules(const config::Fetch& fetch) {
  DownloadRules rules;
  rules.fetch = fetch;
  if (!fetch.ca_file.empty()) {
    Result<std::string> authorities = read_whole_file(fetch.ca_file, kMaxAuthorities, false);
    if (!authorities) return Error{"[fetch] ca_file: " + authorities.error().text};
    if (authorities->find("-----BEGIN") == std::string::npos)
      return Error{"[fetch] ca_file: " + fetch.ca_file + ": no certificate in PEM form"};
    rules.authorities = *std::move(authorities);
  }
  if (!fetch.headers_file.empty()) {
    Result<std::vector<HostHeader>> headers = read_host_headers(fetch.headers_file);
    if (!headers) return Error{"[fetch] headers_file: " + headers.error().text};
    rules.headers = *std::move(headers);
  }
  return rules;
}

// Keeps the line and what goes to the log, and nothing else that the parent had.
void leave_behind(int socket) {
  log::close();
  if (socket != kLine) ::dup2(socket, kLine);
  ::close_range(kLine + 1, ~0U, 0);
  ::fcntl(kLine, F_SETFD, FD_CLOEXEC);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  if (::fcntl(STDERR_FILENO, F_GETFD) < 0) ::dup2(null, STDERR_FILENO);
  if (null > kLine) ::close(null);
  log::reopen();
  // No proxy, no file of keys, no option of a library comes from there.
  ::clearenv();
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  // SIGXFSZ: the limit for bodies holds for the file that the log may go to as well; then a line is lost.
  for (const int ignored : {SIGPIPE, SIGTTOU, SIGXFSZ}) ::signal(ignored, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Waits until the front has said something; false where it has gone without.
bool asked_for(const UniqueFd& line) {
  wait_readable(line.get(), Deadline());
  char byte = 0;
  return ::recv(line.get(), &byte, 1, MSG_PEEK) > 0;
}

[[noreturn]] void run_child(int socket, const config::Fetch& fetch, Start start) {
  try {
    // ^C at a terminal is for the parent.
    ::setpgid(0, 0);
    leave_behind(socket);
    ::prctl(PR_SET_NAME, "pixmilter-fetch");
    UniqueFd line(kLine);
    Result<DownloadRules> rules = read_rules(fetch);
    if (rules) {
      if (Status sealed = shed_privileges(); !sealed) rules = sealed.error();
    }
    if (start == Start::when_asked && !asked_for(line)) ::_exit(0);
    if (rules) {
      Result<CurlLibrary> curl = load_curl();
      if (curl)
        rules->curl = *curl;
      else
        rules = curl.error();
    }
    if (rules) {
      if (Status sealed = seal(fetch); !sealed) rules = sealed.error();
    }
    if (rules) {
      serve_fetches(std::move(line), *rules);
    } else {
      // No reason to try again and again: what is wrong stays wrong until the next reload.
      log::error("no URL is fetched: " + rules.error().text);
      refuse_fetches(std::move(line), rules.error().text);
    }
    ::_exit(0);
  } catch (const std::exception& exception) {
    log::error(std::string("the fetch process ends: ") + exception.what());
    ::_exit(kExitFailure);
  }
}

// A process, its line, and the client on it, in one piece.
class ChildFetcher final : public Fetcher {
 public:
  ChildFetcher(pid_t pid, UniqueFd line, const config::Fetch& fetch)
      : pid_(pid),
        line_(std::move(line)),
        client_(std::in_place, fetch, [this](Deadline) { return connect(); }) {}
  ~ChildFetcher() override {
    client_.reset();
    line_.reset();
    for (const Deadline deadline = Deadline::after(kParting); !deadline.passed(); ::usleep(500))
      if (::waitpid(pid_, nullptr, WNOHANG) != 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Result<std::string> allowed(std::string_view url) const override { return client_->allowed(url); }
  std::vector<FetchResponse> fetch(std::span<const FetchRequest> requests, Deadline deadline) override {
    return client_->fetch(requests, deadline);
  }

 private:
  Result<UniqueFd> connect() {
    if (!line_) return Error{"the fetch process has ended"};
    return std::exchange(line_, UniqueFd());
  }
  const pid_t pid_;
  UniqueFd line_;
  std::optional<FetchClient> client_;
};

}  // namespace

Result<pid_t> spawn_fetch_process(int socket, const config::Fetch& fetch, Start start) {
  const pid_t pid = ::fork();
  if (pid < 0) return Error{std::string("fork: ") + std::strerror(errno)};
  if (pid == 0) run_child(socket, fetch, start);
  return pid;
}

std::unique_ptr<Fetcher> child_fetcher(const config::Fetch& fetch) {
  if (fetch.allow.empty()) return nullptr;
  auto ends = socket_pair();
  const Result<pid_t> pid =
      ends ? spawn_fetch_process(ends->second.get(), fetch, Start::when_asked) : ends.error();
  if (pid) return std::make_unique<ChildFetcher>(*pid, std::move(ends->first), fetch);
  log::warning("no URL is fetched: " + pid.error().text);
  return nullptr;
}

Status check_fetch(const config::Fetch& fetch) {
  if (fetch.allow.empty()) return Done{};
  if (const Result<DownloadRules> rules = read_rules(fetch); !rules) return rules.error();
  if (const Result<CurlLibrary> curl = load_curl(); !curl) return curl.error();
  return Done{};
}

}  // namespace pixmilter::source
