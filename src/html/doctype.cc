#include "html/doctype.h"

#include "base/ascii.h"

namespace pixmilter::html {
namespace {

void skip_space(std::string_view& text) {
  while (!text.empty() && ascii::is_space(text.front())) text.remove_prefix(1);
}

// A quoted identifier at the front of text. False: it is not there at all, or it never ends; then what
// there is of it is taken.
bool take_identifier(std::string_view& text, std::optional<std::string_view>& out) {
  if (text.empty() || (text.front() != '"' && text.front() != '\'')) return false;
  const char quote = text.front();
  text.remove_prefix(1);
  const std::size_t end = text.find(quote);
  out = text.substr(0, end);
  if (end == std::string_view::npos) return false;
  text.remove_prefix(end + 1);
  return true;
}

}  // namespace

Doctype read_doctype(std::string_view raw) {
  constexpr std::size_t kKeyword = 9;  // "<!DOCTYPE"
  Doctype doctype;
  const bool closed = raw.ends_with('>');
  std::string_view text = raw.substr(kKeyword);
  if (closed) text.remove_suffix(1);
  doctype.force_quirks = !closed;

  skip_space(text);
  if (text.empty()) {
    doctype.force_quirks = true;
    return doctype;
  }
  std::size_t length = 0;
  while (length < text.size() && !ascii::is_space(text[length])) ++length;
  doctype.name = text.substr(0, length);
  text.remove_prefix(length);
  skip_space(text);
  if (text.empty()) return doctype;

  bool ok = true;
  if (ascii::istarts_with(text, "public")) {
    text.remove_prefix(6);
    skip_space(text);
    ok = take_identifier(text, doctype.public_id);
    skip_space(text);
    if (ok && !text.empty()) ok = take_identifier(text, doctype.system_id);
  } else if (ascii::istarts_with(text, "system")) {
    text.remove_prefix(6);
    skip_space(text);
    ok = take_identifier(text, doctype.system_id);
  } else {
    ok = false;
  }
  if (ok) skip_space(text);
  // What follows a complete system identifier is an error, but no reason for quirks, nor is an end in it.
  if (!ok)
    doctype.force_quirks = true;
  else if (doctype.system_id && !text.empty())
    doctype.force_quirks = false;
  return doctype;
}

}  // namespace pixmilter::html
