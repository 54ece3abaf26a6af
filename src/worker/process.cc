#include "worker/process.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/signal_words.h"
#include "base/socket.h"
#include "worker/stock.h"

namespace pixmilter::worker {

bool kill_process(int pidfd) {
  return pidfd >= 0 && ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0) == 0;
}

WorkerProcess::~WorkerProcess() {
  if (lender == nullptr) return;
  kill();
  lender->lost(*this);
}

void WorkerProcess::kill() {
  // A worker that runs as another user than we do is its zygote's to end.
  if (!kill_process(pidfd.get()))
    static_cast<void>(send_packet(zygote->socket.get(), wire::encode(wire::Kill{number}), {}, false));
  socket.reset();
}

std::string describe(const wire::Ended& ended) {
  if (ended.signal == 0) return "exit code " + std::to_string(ended.exit_code);
  const std::string text = "signal " + std::to_string(ended.signal);
  if (ended.signal == SIGSYS) return text + " (a system call that the seal forbids)";
  if (ended.signal == SIGXCPU) return text + " (CPU time used up)";
  return signal_words(static_cast<int>(ended.signal));
}

}  // namespace pixmilter::worker
