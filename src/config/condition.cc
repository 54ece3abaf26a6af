#include "config/condition.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "config/units.h"

namespace pixmilter::config {

bool Comparison::holds(double number) const {
  switch (op) {
    case Op::equal:
      return number == value;
    case Op::less:
      return number < value;
    case Op::less_equal:
      return number <= value;
    case Op::greater:
      return number > value;
    case Op::greater_equal:
      return number >= value;
  }
  return false;
}

Result<Comparison> Comparison::parse(std::string_view text, bool bytes) {
  const Error expected{bytes ? "a comparison such as \">1M\", \"<=500K\" or \"0\" is expected"
                             : "a comparison such as \">300\", \"<=1.5\" or \"640\" is expected"};
  Comparison comparison;
  const std::pair<std::string_view, Op> operators[] = {{">=", Op::greater_equal},
                                                       {"<=", Op::less_equal},
                                                       {">", Op::greater},
                                                       {"<", Op::less},
                                                       {"=", Op::equal}};
  for (const auto& [written, op] : operators) {
    if (!text.starts_with(written)) continue;
    comparison.op = op;
    text.remove_prefix(written.size());
    break;
  }
  text = ascii::trim(text);
  if (bytes) {
    const Result<std::uint64_t> size = parse_size(text);
    if (!size) return expected;
    comparison.value = static_cast<double>(*size);
    return comparison;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), comparison.value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || comparison.value < 0)
    return expected;
  return comparison;
}

bool is_of_client(Key key) {
  switch (key) {
    case Key::ip:
    case Key::local:
    case Key::authenticated:
    case Key::user:
    case Key::hostname:
    case Key::daemon_name:
      return true;
    default:
      return false;
  }
}

bool speaks_of_client(const Conditions& conditions) {
  return std::any_of(conditions.match.begin(), conditions.match.end(),
                     [](const Condition& condition) { return is_of_client(condition.key); });
}

std::string_view name(Key key) {
  switch (key) {
    case Key::ip:
      return "ip";
    case Key::local:
      return "local";
    case Key::authenticated:
      return "authenticated";
    case Key::user:
      return "user";
    case Key::from:
      return "from";
    case Key::from_mime:
      return "from_mime";
    case Key::rcpt:
      return "rcpt";
    case Key::rcpt_mime:
      return "rcpt_mime";
    case Key::header:
      return "header";
    case Key::hostname:
      return "hostname";
    case Key::daemon_name:
      return "daemon_name";
    case Key::size:
      return "size";
    case Key::subject:
      return "subject";
    case Key::list:
      return "list";
    case Key::dkim_signed:
      return "dkim_signed";
    case Key::source:
      return "source";
    case Key::type:
      return "type";
    case Key::width:
      return "width";
    case Key::height:
      return "height";
    case Key::megapixels:
      return "megapixels";
    case Key::bytes:
      return "bytes";
    case Key::frames:
      return "frames";
    case Key::alpha:
      return "alpha";
    case Key::gps:
      return "gps";
    case Key::attachment:
      return "attachment";
  }
  return "?";
}

}  // namespace pixmilter::config
