#include "base/log.h"

#include <syslog.h>
#include <unistd.h>

#include <atomic>

#include "base/ascii.h"

namespace pixmilter::log {
namespace {

constexpr std::size_t kLongestValue = 256;

std::atomic<Target> g_target{Target::standard_error};
std::atomic<Level> g_level{Level::info};
// openlog() keeps the pointer: the text has to live as long as the process.
std::string& ident_storage() {
  static std::string ident = "pixmilter";
  return ident;
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

bool plain(char c) {
  return ascii::is_alnum(c) ||
         (c != '\0' && std::string_view("._-+@:/<>[]{}()*%!?&;~#^|,'").find(c) != std::string_view::npos);
}

}  // namespace

void open(Target target, Level level, std::string_view ident) {
  g_target = target;
  g_level = level;
  ident_storage() = ident;
  if (target == Target::syslog) ::openlog(ident_storage().c_str(), LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void close() {
  if (g_target == Target::syslog) ::closelog();
}

void reopen() {
  if (g_target == Target::syslog) ::openlog(ident_storage().c_str(), LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void write(Level level, std::string_view text) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  if (g_target.load(std::memory_order_relaxed) == Target::syslog) {
    ::syslog(priority(level), "%.*s", static_cast<int>(text.size()), text.data());
    return;
  }
  // One write, so that lines of several processes on one terminal or pipe do not mix.
  std::string line = ident_storage() + ": ";
  if (level == Level::warning) line += "warning: ";
  if (level == Level::error) line += "error: ";
  line.append(text).push_back('\n');
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

Fields& Fields::add(std::string_view key, std::string_view value) {
  if (!text_.empty()) text_.push_back(' ');
  text_.append(key).push_back('=');
  text_.append(quoted(value));
  return *this;
}

Fields& Fields::add(std::string_view key, std::uint64_t value) { return add(key, std::to_string(value)); }

std::string quoted(std::string_view value) {
  const bool cut = value.size() > kLongestValue;
  if (cut) value = value.substr(0, kLongestValue);
  bool bare = !value.empty() && !cut;
  for (const char c : value) bare = bare && plain(c);
  if (bare) return std::string(value);
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c < ' ' || c > '~') {
      static constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      out.append({'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]});
    } else {
      out.push_back(c);
    }
  }
  if (cut) out.append("...");
  out.push_back('"');
  return out;
}

}  // namespace pixmilter::log
