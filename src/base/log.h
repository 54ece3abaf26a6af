// The log: one line a call, to syslog (facility mail), to stderr, or through stderr to systemd's journal.
//
// Lines never hold message content. Every value that came from outside goes through Fields or quoted()
// (log_line.h), so that a line stays one line and a field one field. Warnings and errors that repeat are
// counted instead of written (log_limit.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/log_line.h"

namespace pixmilter::log {

enum class Level : std::uint8_t { debug, info, notice, warning, error };
enum class Target : std::uint8_t { standard_error, syslog };
enum class Format : std::uint8_t { text, json };

// What the configuration says of the log.
struct Style {
  Format format = Format::text;
  Level level = Level::info;   // lines below it are dropped
  std::uint32_t repeats = 10;  // warnings or errors of one kind a minute; 0: all
  bool operator==(const Style&) const = default;
};

// Once, before threads start. Until then lines go to stderr. Where stderr is systemd's journal, lines bear
// their priority as sd-daemon(3) has it.
void open(Target target, std::string_view ident);
// From then on; safe from every thread.
void use(const Style& style);

// For a child that closes what it inherited: close() before that, reopen() afterwards. Else lines for syslog
// would go to whatever has its descriptor's number by then.
void close();
void reopen();

// Safe from every thread; the text is one line without its end.
void write(Level level, std::string_view text);
void write(Level level, const Fields& fields);
inline void info(std::string_view text) { write(Level::info, text); }
inline void info(const Fields& fields) { write(Level::info, fields); }
inline void notice(std::string_view text) { write(Level::notice, text); }
inline void warning(std::string_view text) { write(Level::warning, text); }
inline void warning(const Fields& fields) { write(Level::warning, fields); }
inline void error(std::string_view text) { write(Level::error, text); }
inline void error(const Fields& fields) { write(Level::error, fields); }

}  // namespace pixmilter::log
