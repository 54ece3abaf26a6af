#include "milter/serve.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "base/identity.h"
#include "base/log.h"
#include "config/load.h"
#include "config/units.h"
#include "mail/mime_tree.h"
#include "milter/listen_socket.h"
#include "milter/pid_file.h"
#include "source/fetch_process.h"
#include "worker/configured.h"
#include "worker/launcher.h"
#include "worker/pool.h"

namespace pixmilter::milter {
namespace {

constexpr int kExitUsage = 64;
constexpr int kExitSystem = 71;
constexpr int kExitTemporary = 75;
constexpr int kExitConfiguration = 78;

bool log_to_stderr(ServeOptions::Log where) {
  // Where nobody listens to syslog, as in most containers, its lines would be lost.
  if (where == ServeOptions::Log::automatic)
    return ::isatty(STDERR_FILENO) == 1 || ::access("/dev/log", F_OK) != 0;
  return where == ServeOptions::Log::standard_error;
}

// To whoever has started us, and to the log, which may be somewhere else.
void complain(const std::string& text, bool logged_to_stderr) {
  if (!logged_to_stderr) std::fprintf(stderr, "pixmilter: %s\n", text.c_str());
  log::error(text);
}

Result<std::string> read_text(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Error{std::string("cannot be read: ") + std::strerror(errno)};
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t size = ::read(file.get(), buffer, sizeof buffer);
    if (size == 0) return text;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Error{std::string("cannot be read: ") + std::strerror(errno)};
    text.append(buffer, static_cast<std::size_t>(size));
  }
}

// The text is kept with what was read from it: the front is given the same bytes, not the same path.
Configuration read_configuration(const ServeOptions& options) {
  Configuration configuration;
  std::string file = options.config_file;
  if (file.empty() && !options.default_file.empty() && ::access(options.default_file.c_str(), F_OK) == 0)
    file = options.default_file;
  configuration.name = file.empty() ? "built-in defaults" : file;
  if (!file.empty()) {
    auto text = read_text(file);
    if (!text) {
      configuration.loaded.problems.push_back({file, 0, 0, text.error().text});
      return configuration;
    }
    configuration.text = *std::move(text);
  }
  configuration.loaded = config::load_text(configuration.text, configuration.name);
  if (!options.socket.empty()) configuration.loaded.settings.milter.socket = options.socket;
  return configuration;
}

// Socket activation: what a service manager has handed to this process, as a spec (sd_listen_fds(3)).
std::string handed_socket() {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  const bool ours =
      pid != nullptr && count != nullptr && std::to_string(::getpid()) == pid && std::atoi(count) >= 1;
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  return ours ? "fd:3" : "";
}

// The file is read again on SIGHUP, by whoever we are then.
void warn_of_unreadable(const Configuration& configuration, const std::string& user) {
  if (configuration.text.empty() || ::access(configuration.name.c_str(), R_OK) == 0) return;
  log::warning(configuration.name + " cannot be read by " + user + ": SIGHUP will change nothing");
}

// The socket that [metrics] listen names; none where that is empty.
Result<UniqueFd> listen_for_metrics(const std::string& listen) {
  if (listen.empty()) return UniqueFd();
  const config::HostAndPort address = config::split_address(listen);
  SocketSpec spec;
  spec.kind = address.host.find(':') == std::string::npos ? SocketSpec::Kind::inet : SocketSpec::Kind::inet6;
  spec.host = address.host;
  spec.port = address.port;
  auto socket = ListenSocket::open(spec, 0, {});
  if (!socket) return Error{"[metrics] listen = \"" + listen + "\": " + socket.error().text};
  log::notice("metrics on http://" + listen + "/metrics");
  return UniqueFd(::fcntl(socket->fd(), F_DUPFD_CLOEXEC, 3));
}

// Each connection of an MTA is a descriptor, and libmilter spins when they run out.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int serve(const ServeOptions& given) {
  ServeOptions options = given;
  if (const std::string handed = handed_socket(); options.socket.empty()) options.socket = handed;
  const bool to_stderr = log_to_stderr(options.log);
  log::open(to_stderr ? log::Target::standard_error : log::Target::syslog, "pixmilter");

  MasterOptions master;
  master.configuration = read_configuration(options);
  if (!master.configuration.loaded.ok()) {
    for (const auto& problem : master.configuration.loaded.problems) complain(problem.text(), to_stderr);
    return kExitConfiguration;
  }
  log::use(master.configuration.loaded.settings.log);
  const auto& milter = master.configuration.loaded.settings.milter;
  const auto spec = parse_socket_spec(milter.socket);
  if (!spec) {
    complain(spec.error().text, to_stderr);
    return kExitConfiguration;
  }
  std::optional<Identity> identity;
  if (!options.user.empty()) {
    auto found = find_identity(options.user, options.group);
    if (!found) {
      complain(found.error().text, to_stderr);
      return kExitUsage;
    }
    identity = *std::move(found);
  }
  std::optional<PidFile> pid_file;
  if (!options.pid_file.empty()) {
    auto made = PidFile::make(options.pid_file);
    if (!made) {
      complain(made.error().text, to_stderr);
      return kExitTemporary;
    }
    pid_file.emplace(*std::move(made));
  }
  auto listen = ListenSocket::open(*spec, milter.socket_mode, milter.socket_group);
  if (!listen) {
    complain(listen.error().text, to_stderr);
    return kExitTemporary;
  }
  auto metrics = listen_for_metrics(master.configuration.loaded.settings.metrics.listen);
  if (!metrics) {
    complain(master.configuration.name + ": " + metrics.error().text, to_stderr);
    return kExitTemporary;
  }
  master.metrics = *std::move(metrics);
  master.listen_for_metrics = listen_for_metrics;
  if (identity) {
    auto taken = listen->give_to(identity->uid);
    if (taken) taken = take_identity(*identity);
    if (!taken) {
      complain(taken.error().text, to_stderr);
      return kExitSystem;
    }
    warn_of_unreadable(master.configuration, identity->user);
  }
  raise_descriptor_limit();
  // The two halves of rendering: the master starts the program, the front speaks with it.
  master.start_zygote = [](int socket, const config::Settings& settings) {
    return worker::spawn_render_program(socket, worker::render_program(settings.render));
  };
  master.start_fetcher = [](int socket, const config::Settings& settings) {
    return source::spawn_fetch_process(socket, settings.fetch, source::Start::at_once);
  };
  const auto statistics = std::make_shared<worker::Statistics>();
  master.statistics = statistics;
  master.make_renderer = [statistics](const config::Settings& settings, ZygoteRequest request) {
    worker::PoolOptions pool = worker::pool_options(settings.render);
    pool.ahead = true;
    auto renderer =
        std::make_unique<worker::Pool>(pool, worker::requested_zygotes(std::move(request)), statistics);
    renderer->prepare();
    return renderer;
  };
  mail::initialise_mime();
  master.reread = [&options] { return read_configuration(options); };
  return run_master(*listen, std::move(master));
}

}  // namespace pixmilter::milter
