#include "base/log.h"

#include <sys/stat.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/log_limit.h"

namespace pixmilter::log {
namespace {

std::atomic<Target> g_target{Target::standard_error};
std::atomic<Level> g_level{Level::info};
std::atomic<Format> g_format{Format::text};
std::atomic<bool> g_journal{false};
// openlog() keeps the pointer: the text has to live as long as the process.
std::string& ident_storage() {
  static std::string ident = "pixmilter";
  return ident;
}

// When lines that were left out have to be spoken of, as ticks of Clock: looked at without the lock.
std::atomic<Clock::rep> g_next_summary{Clock::duration::max().count()};
struct Limited {
  std::mutex mutex;
  Limit limit;
};
Limited& limited() {
  static Limited* one = new Limited;  // threads may log while the process ends
  return *one;
}

int priority(Level level) {
  switch (level) {
    case Level::debug:
      return LOG_DEBUG;
    case Level::info:
      return LOG_INFO;
    case Level::notice:
      return LOG_NOTICE;
    case Level::warning:
      return LOG_WARNING;
    case Level::error:
      return LOG_ERR;
  }
  return LOG_INFO;
}

std::string_view name(Level level) {
  static constexpr std::array<std::string_view, 5> kNames = {"debug", "info", "notice", "warning", "error"};
  return kNames[static_cast<std::size_t>(level)];
}

// systemd.exec(5): JOURNAL_STREAM names the device and inode of the journal's socket.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

// UTC with milliseconds, as RFC 3339 writes it.
std::string now_text() {
  timeval now{};
  ::gettimeofday(&now, nullptr);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  std::array<char, 64> text{};
  const std::size_t size = ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ", static_cast<int>(now.tv_usec / 1000));
  return text.data();
}

// members: of the JSON object; what is first there stays first.
std::string as_json(Level level, std::string_view members) {
  std::string line = "{";
  line.append(members).append(",\"level\":\"").append(name(level)).append("\",\"time\":\"");
  line.append(now_text()).append("\"}");
  return line;
}

void put(Level level, std::string_view line) {
  if (g_target.load(std::memory_order_relaxed) == Target::syslog) {
    ::syslog(priority(level), "%.*s", static_cast<int>(line.size()), line.data());
    return;
  }
  // One write, so that lines of several processes on one terminal or pipe do not mix.
  std::string out;
  if (g_journal.load(std::memory_order_relaxed)) {
    out = "<" + std::to_string(priority(level)) + ">";
  } else if (g_format.load(std::memory_order_relaxed) == Format::text) {
    out = ident_storage() + ": ";
    if (level == Level::warning) out += "warning: ";
    if (level == Level::error) out += "error: ";
  }
  out.append(line).push_back('\n');
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, out.data(), out.size());
}

void put_text(Level level, std::string_view text) {
  if (g_format.load(std::memory_order_relaxed) == Format::json) {
    std::string members = "\"message\":";
    put(level, as_json(level, members.append(json_string(text))));
  } else {
    put(level, text);
  }
}

// What was left out in a minute that is over.
void sum_up() {
  const auto now = Clock::now();
  if (now.time_since_epoch().count() < g_next_summary.load(std::memory_order_relaxed)) return;
  std::vector<std::string> lines;
  {
    const std::lock_guard lock(limited().mutex);
    lines = limited().limit.summaries(now);
    g_next_summary = limited().limit.next_summary().time_since_epoch().count();
  }
  for (const std::string& line : lines) put_text(Level::warning, line);
}

bool dropped(Level level, std::string_view text) {
  if (level < g_level.load(std::memory_order_relaxed)) return true;
  sum_up();
  if (level < Level::warning) return false;
  const std::lock_guard lock(limited().mutex);
  const bool allowed = limited().limit.allows(text, Clock::now());
  g_next_summary = limited().limit.next_summary().time_since_epoch().count();
  return !allowed;
}

}  // namespace

void open(Target target, std::string_view ident) {
  g_target = target;
  ident_storage() = ident;
  g_journal = target == Target::standard_error && stderr_is_journal();
  if (target == Target::syslog) ::openlog(ident_storage().c_str(), LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void close() {
  if (g_target == Target::syslog) ::closelog();
}

void reopen() {
  if (g_target == Target::syslog) ::openlog(ident_storage().c_str(), LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void use(const Style& style) {
  g_format = style.format;
  g_level = style.level;
  const std::lock_guard lock(limited().mutex);
  limited().limit.set(style.repeats);
}

void write(Level level, std::string_view text) {
  if (!dropped(level, text)) put_text(level, text);
}

void write(Level level, const Fields& fields) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  const std::string text = fields.text();
  if (dropped(level, text)) return;
  if (g_format.load(std::memory_order_relaxed) == Format::json)
    put(level, as_json(level, fields.json()));
  else
    put(level, text);
}

}  // namespace pixmilter::log
