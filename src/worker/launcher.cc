#include "worker/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

#include "base/sanitized.h"
#include "base/socket.h"
#include "worker/wire_start.h"

namespace pixmilter::worker {
namespace {

constexpr char kProgramName[] = "pixmilter-render";
// How long a zygote may take to end its workers and itself.
constexpr Milliseconds kParting{1'000};

// A worker serves many pictures, and this is what it may use for all of them; a single one that takes too
// long is ended by the clock.
std::uint64_t cpu_seconds(std::chrono::milliseconds timeout) {
  return 60 + 6 * static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(timeout).count());
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : ",") + word;
  return all;
}

// A run time checker reads its options from the environment; nothing else of ours is handed on.
bool wanted_by_sanitizer(std::string_view variable) {
  return kSanitized && variable.find("SAN_OPTIONS=") != std::string_view::npos;
}

class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

class ChildZygotes : public ZygoteSource {
 public:
  explicit ChildZygotes(RenderProgram program) : program_(std::move(program)) {}
  ~ChildZygotes() override {
    // Their connections are closed: they end their workers and go. Those that do not are killed.
    for (const Deadline deadline = Deadline::after(kParting); !pids_.empty() && !deadline.passed();
         ::usleep(500))
      tidy();
    end_all_but(0);
  }

  Result<UniqueFd> connect(Deadline) override {
    tidy();
    end_all_but(1);
    auto ends = socket_pair();
    if (!ends) return ends.error();
    const auto pid = spawn_render_program(ends->second.get(), program_);
    if (!pid) return pid.error();
    pids_.push_back(*pid);
    return std::move(ends->first);
  }

  void tidy() override {
    std::erase_if(pids_, [](pid_t pid) {
      const pid_t ended = ::waitpid(pid, nullptr, WNOHANG);
      return ended == pid || (ended < 0 && errno == ECHILD);
    });
  }

 private:
  void end_all_but(std::size_t latest) {
    while (pids_.size() > latest) {
      ::kill(pids_.front(), SIGKILL);
      while (::waitpid(pids_.front(), nullptr, 0) < 0 && errno == EINTR) {
      }
      pids_.erase(pids_.begin());
    }
  }
  RenderProgram program_;
  std::vector<pid_t> pids_;  // not reaped yet, oldest first
};

class RequestedZygotes : public ZygoteSource {
 public:
  explicit RequestedZygotes(std::function<Result<UniqueFd>(Deadline)> request)
      : request_(std::move(request)) {}
  Result<UniqueFd> connect(Deadline deadline) override { return request_(deadline); }

 private:
  std::function<Result<UniqueFd>(Deadline)> request_;
};

}  // namespace

std::string find_render_program() {
  char self[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", self, sizeof self);
  if (size > 0 && static_cast<std::size_t>(size) < sizeof self) {
    std::string folder(self, static_cast<std::size_t>(size));
    folder.resize(folder.rfind('/'));
    // In a build tree the tests lie one folder deeper than the programs.
    if (folder.ends_with("/tests")) folder.resize(folder.rfind('/'));
    const std::string beside = folder + "/" + kProgramName;
    if (::access(beside.c_str(), X_OK) == 0) return beside;
    // Where `make install` puts the two, whatever the prefix turned out to be.
    const std::string installed = folder + "/../libexec/pixmilter/" + kProgramName;
    if (::access(installed.c_str(), X_OK) == 0) return installed;
  }
  return std::string(PIXMILTER_LIBEXECDIR) + "/pixmilter/" + kProgramName;
}

Result<pid_t> spawn_render_program(int socket, const RenderProgram& program) {
  const std::string path = program.path.empty() ? find_render_program() : program.path;
  std::vector<std::string> words = {kProgramName,
                                    wire::kOptionFd,
                                    std::to_string(wire::kZygoteFd),
                                    wire::kOptionSandbox,
                                    program.sandbox_required ? "required" : "best-effort",
                                    wire::kOptionMemory,
                                    std::to_string(program.memory),
                                    wire::kOptionCpu,
                                    std::to_string(cpu_seconds(program.timeout)),
                                    wire::kOptionLoaders,
                                    joined(program.loaders)};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<char*> environment;
  for (const char* variable : wire::kEnvironment) environment.push_back(const_cast<char*>(variable));
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (wanted_by_sanitizer(*variable)) environment.push_back(*variable);
  environment.push_back(nullptr);

  SpawnSettings settings;
  // dup2 to itself clears close-on-exec; glibc takes care of that.
  posix_spawn_file_actions_adddup2(&settings.actions, socket, wire::kZygoteFd);
  posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // stdout may be the message that a command writes: the program gets none of it.
  if (::fcntl(STDERR_FILENO, F_GETFD) >= 0)
    posix_spawn_file_actions_adddup2(&settings.actions, STDERR_FILENO, STDOUT_FILENO);
  else
    posix_spawn_file_actions_adddup2(&settings.actions, STDIN_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, wire::kZygoteFd + 1);
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&settings.attributes, &all);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  // A group of its own: ^C at a terminal is for us, who finish the messages in hand.
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setflags(&settings.attributes,
                           POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, path.c_str(), &settings.actions, &settings.attributes,
                                   arguments.data(), environment.data());
  if (failed != 0) return Error{"cannot start " + path + ": " + std::strerror(failed)};
  return pid;
}

std::unique_ptr<ZygoteSource> child_zygotes(RenderProgram program) {
  return std::make_unique<ChildZygotes>(std::move(program));
}

std::unique_ptr<ZygoteSource> requested_zygotes(std::function<Result<UniqueFd>(Deadline)> request) {
  return std::make_unique<RequestedZygotes>(std::move(request));
}

}  // namespace pixmilter::worker
