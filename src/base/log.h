// The log: one line a call, to syslog (facility mail) or to stderr.
//
// Lines never hold message content. Every value that came from outside goes through quoted(), so that a
// line stays one line and a field one field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pixmilter::log {

enum class Level { debug, info, notice, warning, error };
enum class Target { standard_error, syslog };

// Once, before threads start. Until then lines go to stderr. Lines below the level are dropped.
void open(Target target, Level level, std::string_view ident);

// For a child that closes what it inherited: close() before that, reopen() afterwards. Else lines for syslog
// would go to whatever has its descriptor's number by then.
void close();
void reopen();

// Safe from every thread; the text is one line without its end.
void write(Level level, std::string_view text);
inline void info(std::string_view text) { write(Level::info, text); }
inline void notice(std::string_view text) { write(Level::notice, text); }
inline void warning(std::string_view text) { write(Level::warning, text); }
inline void error(std::string_view text) { write(Level::error, text); }

// Builds `key=value key="quoted value"`.
class Fields {
 public:
  Fields& add(std::string_view key, std::string_view value);
  Fields& add(std::string_view key, std::uint64_t value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A value as it may stand in a log line: bare where it is plain, else in double quotes with \ escapes;
// control characters and bytes over 0x7E become \xHH, and what is longer than 256 bytes is cut with "...".
std::string quoted(std::string_view value);

}  // namespace pixmilter::log
