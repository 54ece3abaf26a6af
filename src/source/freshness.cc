#include "source/freshness.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"
#include "source/fetch_wire.h"

namespace pixmilter::source {
namespace {

using std::chrono::seconds;

// RFC 9111, 1.2.2: what is more than can be counted is this much.
constexpr std::int64_t kForever = std::int64_t{1} << 31;

// Digits and nothing else.
std::optional<std::int64_t> parse_seconds(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (!ascii::is_digit(c)) return std::nullopt;
    value = std::min(kForever, value * 10 + (c - '0'));
  }
  return value;
}

// What stands before the first comma.
std::string_view first_of(std::string_view list) { return ascii::trim(list.substr(0, list.find(','))); }

// A directive off the list: its name in lower case, its value without quotes.
struct Directive {
  std::string name;
  std::string value;
  bool whole = true;  // false: its quotes do not end

  bool take_from(std::string_view& rest) {
    *this = {};
    rest = ascii::trim(rest);
    while (rest.starts_with(',')) rest = ascii::trim(rest.substr(1));
    if (rest.empty()) return false;
    const std::size_t end = std::min(rest.find_first_of("=,"), rest.size());
    name = ascii::to_lower(ascii::trim(rest.substr(0, end)));
    rest.remove_prefix(end);
    if (!rest.starts_with('=')) return true;
    rest = ascii::trim(rest.substr(1));
    if (rest.starts_with('"'))
      take_quoted(rest);
    else
      value = first_of(rest);
    rest.remove_prefix(std::min(rest.find(','), rest.size()));
    return true;
  }

 private:
  void take_quoted(std::string_view& rest) {
    std::size_t at = 1;
    for (; at < rest.size() && rest[at] != '"'; ++at) {
      if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
      value.push_back(rest[at]);
    }
    whole = at < rest.size();
    rest.remove_prefix(std::min(at + 1, rest.size()));
  }
};

// An age that stands there more than once, or cannot be read, makes the response stale (4.2.1).
void take_age(std::optional<std::int64_t>& age, std::string_view value) {
  const std::int64_t read = parse_seconds(value).value_or(0);
  age = age && *age != read ? 0 : read;
}

struct CacheControl {
  bool no_store = false;
  bool no_cache = false;
  bool is_private = false;
  bool for_others = false;  // says so although the request was a personal one
  std::optional<std::int64_t> max_age;
  std::optional<std::int64_t> shared_max_age;

  explicit CacheControl(std::string_view text) {
    // Of one that was cut nobody knows what the rest said.
    no_store = text.size() >= wire::kMaxField;
    for (Directive one; one.take_from(text);) {
      // no-cache and private may name fields; without those the rest could be used, which is not worth it.
      no_store = no_store || one.name == "no-store" || !one.whole;
      no_cache = no_cache || one.name == "no-cache";
      is_private = is_private || one.name == "private";
      for_others =
          for_others || one.name == "public" || one.name == "s-maxage" || one.name == "must-revalidate";
      if (one.name == "max-age") take_age(max_age, one.value);
      if (one.name == "s-maxage") take_age(shared_max_age, one.value);
    }
  }
};

bool varies_by_everything(std::string_view vary) {
  if (vary.size() >= wire::kMaxField) return true;
  for (;;) {
    if (first_of(vary) == "*") return true;
    const std::size_t comma = vary.find(',');
    if (comma == std::string_view::npos) return false;
    vary.remove_prefix(comma + 1);
  }
}

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct DateReader {
  std::string_view text;
  bool good = true;

  void skip(std::string_view expected) {
    good = good && text.starts_with(expected);
    text.remove_prefix(std::min(expected.size(), text.size()));
  }
  int number(std::size_t digits) {
    const std::optional<std::int64_t> value = parse_seconds(text.substr(0, digits));
    good = good && value && text.size() >= digits;
    text.remove_prefix(std::min(digits, text.size()));
    return static_cast<int>(value.value_or(0));
  }
  unsigned month() {
    const auto found = std::find(kMonths.begin(), kMonths.end(), text.substr(0, 3));
    good = good && found != kMonths.end();
    text.remove_prefix(std::min<std::size_t>(3, text.size()));
    return static_cast<unsigned>(found - kMonths.begin()) + 1;
  }
};

int year_of(std::int64_t time) {
  const std::chrono::sys_days day =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(seconds(time)));
  return static_cast<int>(std::chrono::year_month_day(day).year());
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now) {
  text = ascii::trim(text);
  DateReader in{text};
  int day = 0, year = 0;
  unsigned month = 0;
  const std::size_t comma = text.find(',');
  const bool asctime = comma == std::string_view::npos;
  if (asctime) {  // Sun Nov  6 08:49:37 1994
    in.text.remove_prefix(std::min<std::size_t>(3, text.size()));
    in.skip(" ");
    month = in.month();
    in.skip(" ");
    const bool padded = in.text.starts_with(' ');
    if (padded) in.skip(" ");
    day = in.number(padded ? 1 : 2);
  } else {
    in.text.remove_prefix(comma + 1);
    in.skip(" ");
    day = in.number(2);
    const bool short_names = comma == 3;
    in.skip(short_names ? " " : "-");
    month = in.month();
    in.skip(short_names ? " " : "-");
    if (short_names) {  // Sun, 06 Nov 1994 08:49:37 GMT
      year = in.number(4);
    } else {  // Sunday, 06-Nov-94 08:49:37 GMT
      const int today = year_of(now);
      year = today - today % 100 + in.number(2);
      if (year > today + 50) year -= 100;
      if (year <= today - 50) year += 100;
    }
  }
  in.skip(" ");
  const int hour = in.number(2);
  in.skip(":");
  const int minute = in.number(2);
  in.skip(":");
  const int second = in.number(2);
  in.skip(" ");
  if (asctime)
    year = in.number(4);
  else
    in.skip("GMT");
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!in.good || !in.text.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch() / seconds(1) + std::int64_t{hour} * 3600 +
         minute * 60 + second;
}

Lifetime lifetime_of(const Freshness& freshness, bool personal, std::int64_t received, seconds delay) {
  const CacheControl control(freshness.cache_control);
  if (control.no_store || control.is_private || (personal && !control.for_others) ||
      varies_by_everything(freshness.vary))
    return {};
  Lifetime lifetime{true, seconds(0)};
  const std::int64_t date = parse_http_date(freshness.date, received).value_or(received);
  std::int64_t fresh = 0;
  if (control.shared_max_age)
    fresh = *control.shared_max_age;
  else if (control.max_age)
    fresh = *control.max_age;
  else if (const auto expires = parse_http_date(freshness.expires, received))
    fresh = *expires - date;
  // How old it was when it came (4.2.3).
  const std::int64_t apparent = std::max<std::int64_t>(0, received - date);
  const std::int64_t corrected = parse_seconds(first_of(freshness.age)).value_or(0) + delay.count();
  fresh -= std::max(apparent, corrected);
  if (!control.no_cache) lifetime.fresh = seconds(std::clamp<std::int64_t>(fresh, 0, kForever));
  return lifetime;
}

}  // namespace pixmilter::source
