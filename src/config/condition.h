// Condition: one key of a `match` or `unless` table, parsed, with the text it was written as.
//
// DESIGN.md section 5: keys are ANDed, the values of one key ORed. What a condition looks at is the core's
// business (core/match.h); here stands only what the configuration says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/net.h"
#include "config/pattern.h"

namespace pixmilter::config {

// ">1M", "<=300", "640": compares a number.
struct Comparison {
  enum class Op : std::uint8_t { equal, less, less_equal, greater, greater_equal } op = Op::equal;
  double value = 0;
  bool holds(double number) const;
  // bytes: K, M and G are taken as sizes.
  static Result<Comparison> parse(std::string_view text, bool bytes);
  bool operator==(const Comparison&) const = default;
};

enum class Key : std::uint8_t {
  // of a message
  ip,
  local,
  authenticated,
  user,
  from,
  from_mime,
  rcpt,
  rcpt_mime,
  header,
  hostname,
  daemon_name,
  size,
  subject,
  list,
  dkim_signed,
  // of an image
  source,
  type,
  width,
  height,
  megapixels,
  bytes,
  frames,
  alpha,
  gps,
  attachment,
};
std::string_view name(Key key);

struct Condition {
  Key key = Key::from;
  std::string header;                   // Key::header: the field's name
  std::vector<Pattern> patterns;        // text
  std::vector<Net> nets;                // ip
  std::vector<Comparison> comparisons;  // numbers
  std::optional<bool> truth;            // yes or no
  std::string text;                     // as written, for people: `from = ["*@a", "*@b"]`
  bool operator==(const Condition&) const = default;
};

struct Conditions {
  std::vector<Condition> match;   // all have to hold
  std::vector<Condition> unless;  // if there are any and all hold, it does not match after all
  bool operator==(const Conditions&) const = default;
};

// Whether a key is about the client rather than the message.
bool is_of_client(Key key);

// Whether conditions name the client: a rule that does says itself whose mail is its business; any other one,
// and the defaults, mean outgoing mail.
bool speaks_of_client(const Conditions& conditions);

}  // namespace pixmilter::config
