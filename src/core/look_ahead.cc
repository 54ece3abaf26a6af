#include "core/look_ahead.h"

#include <algorithm>
#include <string_view>

#include "base/ascii.h"

namespace pixmilter::core {
namespace {

constexpr std::string_view kField = "content-type";

// Words without which the value of a Content-Type names nothing that find() looks at. No folding and no
// comment can stand within a word; a "=?" may hide one from some parsers.
constexpr std::string_view kWords[] = {"html", "image", "npy", "external", "=?"};

// Whether what stands before this colon is the field's name, with or without white space between.
bool is_content_type(std::string_view bytes, std::size_t colon) {
  std::string_view before = bytes.substr(0, colon);
  while (!before.empty() && ascii::is_blank(before.back())) before.remove_suffix(1);
  return ascii::iends_with(before, kField);
}

// To the end of the last line that continues the field.
std::string_view value_from(std::string_view bytes, std::size_t begin) {
  std::size_t end = begin;
  do {
    end = std::min(bytes.find('\n', end), bytes.size() - 1) + 1;
  } while (end < bytes.size() && ascii::is_blank(bytes[end]));
  return bytes.substr(begin, end - begin);
}

}  // namespace

// All fields of that name count, wherever they stand: in a text, too, and so in the header of any part that a
// parser could find. Between them the bytes are passed over at the speed of memory; base64 holds no colon.
bool may_hold_pictures(const mail::Message& message, const Plan& plan) {
  const std::string_view bytes = message.bytes();
  const bool octets =
      std::any_of(plan.images.begin(), plan.images.end(), [](const auto* rules) { return !rules->empty(); });
  std::size_t from = 0;
  for (std::size_t colon; (colon = bytes.find(':', from)) != std::string_view::npos;) {
    from = colon + 1;
    if (!is_content_type(bytes, colon)) continue;
    const std::string_view value = value_from(bytes, from);
    const auto names = [&](std::string_view word) {
      return ascii::ifind(value, word) != std::string_view::npos;
    };
    if (std::any_of(std::begin(kWords), std::end(kWords), names) || (octets && names("octet"))) return true;
    from += value.size();  // a field within this one has a part of its value
  }
  return false;
}

}  // namespace pixmilter::core
