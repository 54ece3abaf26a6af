// The front's ends of the processes it talks to: one zygote, one worker.
//
// Plain handles. Who may use them when is the stock's business (worker/stock.h).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "worker/wire.h"

namespace pixmilter::worker {

// A render program that forks workers. Its process ends when its socket is closed, and its workers with
// it: it lives as long as one of them is held. Everything but the descriptors is guarded by the stock.
struct Zygote {
  UniqueFd socket;
  UniqueFd pidfd;        // from its greeting on
  UniqueFd diagnostics;  // what it and its workers write to stderr
  std::uint32_t pid = 0;
  bool lost = false;                           // its process has ended, or was given up
  std::uint32_t crashes = 0;                   // workers that died or broke the protocol
  std::map<std::uint64_t, wire::Ended> ended;  // the latest workers that have gone, and how
};

class Stock;

// A worker that is warmed up, sealed and waits for a job, or has one. One thread at a time.
struct WorkerProcess {
  WorkerProcess() = default;
  // One that a call has lost, by running out of memory, leaves its place to another.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  std::uint64_t number = 0;  // ours; never used twice
  wire::Purpose purpose = wire::Purpose::picture;
  UniqueFd socket;
  UniqueFd pidfd;
  std::uint32_t pid = 0;
  std::shared_ptr<Zygote> zygote;
  std::uint32_t jobs = 0;   // given to it so far
  bool risky = false;       // it has decoded a format after which it serves no other message
  bool retire = false;      // it has grown, or served enough
  bool leaving = false;     // the stock's: does not count on it any more
  Stock* lender = nullptr;  // the stock's: while a call has it

  // SIGKILL, by us or, where that is not permitted, by its zygote.
  void kill();
};

// SIGKILL by pidfd (pidfd_send_signal(2)); false where it was not permitted or the descriptor is none.
bool kill_process(int pidfd);

// "signal 9 (Killed)", "exit code 1": how a worker ended, for the log.
std::string describe(const wire::Ended& ended);

}  // namespace pixmilter::worker
