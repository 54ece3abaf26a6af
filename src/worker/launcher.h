// Starting the render program: from a command by itself, or through the master.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace pixmilter::worker {

// What the render program is told for its whole life.
struct RenderProgram {
  std::string path;                           // empty: find_render_program()
  std::uint64_t memory = 512ull << 20;        // bytes, one worker
  std::chrono::milliseconds timeout{10'000};  // one image; bounds a worker's CPU time
  bool sandbox_required = true;  // false: a worker that could not be sealed wholly serves all the same
  std::vector<std::string> loaders = {"png", "jpeg", "gif", "webp", "tiff", "heif", "svg"};
};

// The render program: beside the running binary where it lies in a build tree, else in libexecdir.
std::string find_render_program();

// Starts the program with socket as its connection, in a process group of its own, with nothing else
// inherited but stderr. The socket stays the caller's, who closes it; the caller reaps the process. The
// program ends by itself when the other end of the socket is closed, and when the thread that started it
// ends. Safe in a process with threads.
Result<pid_t> spawn_render_program(int socket, const RenderProgram& program);

// Where the pool gets its zygotes from.
class ZygoteSource {
 public:
  virtual ~ZygoteSource() = default;
  // A connection to a zygote that was started for this call. The zygotes of earlier calls go on until
  // their connection is closed, but a source may end all but the latest of them. One thread at a time.
  virtual Result<UniqueFd> connect(Deadline deadline) = 0;
  // Called now and then by the same thread: for a source that has processes to reap.
  virtual void tidy() {}
};

// Zygotes as children of this process. They are ended and reaped with the source.
std::unique_ptr<ZygoteSource> child_zygotes(RenderProgram program);

// Zygotes that somebody else starts on request.
std::unique_ptr<ZygoteSource> requested_zygotes(std::function<Result<UniqueFd>(Deadline)> request);

}  // namespace pixmilter::worker
