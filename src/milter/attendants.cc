#include "milter/attendants.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/signal_words.h"
#include "base/socket.h"

namespace pixmilter::milter {
namespace {

// Processes that wind up their last messages beside the one in use.
constexpr std::size_t kMost = 4;

}  // namespace

std::string how_it_ended(int status) {
  if (!WIFSIGNALED(status)) return "exited with status " + std::to_string(WEXITSTATUS(status));
  return "was killed by " + signal_words(WTERMSIG(status));
}

void Attendants::renew() {
  for (Process& process : processes_) process.line.reset();
}

bool Attendants::missing(const config::Settings& settings, bool ending) const {
  if (!kind_.start || !kind_.needed(settings)) return false;
  const bool spare = std::any_of(processes_.begin(), processes_.end(),
                                 [](const Process& one) { return static_cast<bool>(one.line); });
  return !spare && (wanted_ || (processes_.empty() && !ending));
}

void Attendants::start_what_is_missing(const config::Settings& settings, bool ending) {
  if (!missing(settings, ending) || !respawn_.due()) return;
  respawn_.started();
  auto ends = socket_pair();
  const Result<pid_t> pid = ends ? kind_.start(ends->second.get(), settings) : ends.error();
  if (!pid) {
    log::error(kind_.without + ": " + pid.error().text);
    respawn_.died();
    return;
  }
  processes_.push_back({*pid, std::move(ends->first)});
  log::info(kind_.name + " " + std::to_string(*pid) + " started");
  while (processes_.size() > kMost) {
    ::kill(processes_.front().pid, SIGKILL);
    processes_.erase(processes_.begin());
  }
}

std::optional<UniqueFd> Attendants::take_wanted_line() {
  if (!wanted_) return std::nullopt;
  for (Process& process : processes_) {
    if (!process.line) continue;
    wanted_ = false;
    return std::exchange(process.line, UniqueFd());
  }
  return std::nullopt;
}

Clock::time_point Attendants::next_start(const config::Settings& settings, bool ending) const {
  return missing(settings, ending) ? respawn_.next() : Clock::time_point::max();
}

bool Attendants::reap(pid_t pid, int status) {
  const auto found = std::find_if(processes_.begin(), processes_.end(),
                                  [pid](const Process& one) { return one.pid == pid; });
  if (found == processes_.end()) return false;
  processes_.erase(found);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  log::warning(kind_.name + " " + std::to_string(pid) + " " + how_it_ended(status));
  respawn_.died();
  return true;
}

void Attendants::kill_all() {
  for (const Process& process : processes_) {
    ::kill(process.pid, SIGKILL);
    ::waitpid(process.pid, nullptr, 0);
  }
  processes_.clear();
}

}  // namespace pixmilter::milter
