#include "mail/message.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/ascii.h"
#include "base/large_pages.h"

namespace pixmilter::mail {
namespace {

// A field name is printable ASCII without the colon (RFC 5322 section 2.2).
bool name_char(char c) { return c > ' ' && c < 0x7F && c != ':'; }

// The offset after the line that begins at begin.
std::size_t after_line(std::string_view bytes, std::size_t begin, std::size_t end) {
  const std::size_t lf = bytes.substr(0, end).find('\n', begin);
  return lf == std::string_view::npos ? end : lf + 1;
}

std::string_view without_eol(std::string_view line) {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// A message's buffer doubles up to the first; then it is given room for the second.
constexpr std::size_t kDoubles = std::size_t{4} << 20;
constexpr std::size_t kRange = std::size_t{128} << 20;

}  // namespace

HeaderBlock read_header(std::string_view bytes, std::size_t begin, std::size_t end) {
  HeaderBlock block;
  std::size_t at = begin;
  while (at < end) {
    const std::size_t next = after_line(bytes, at, end);
    const std::string_view line = without_eol(bytes.substr(at, next - at));
    if (line.empty()) {
      block.has_blank_line = true;
      block.end = at;
      block.body_begin = next;
      return block;
    }
    if (ascii::is_blank(line.front())) {
      if (block.fields.empty()) break;
      // A line of white space alone: a continuation to some parsers, the end of the header to others.
      if (ascii::trim(line).empty()) block.malformed = true;
      HeaderField& field = block.fields.back();
      field.end = next;
      field.raw_value = without_eol(bytes.substr(field.colon + 1, next - field.colon - 1));
      at = next;
      continue;
    }
    std::size_t name_end = 0;
    while (name_end < line.size() && name_char(line[name_end])) ++name_end;
    std::size_t colon = name_end;
    while (colon < line.size() && ascii::is_blank(line[colon])) ++colon;
    if (name_end == 0 || colon == line.size() || line[colon] != ':') break;
    block.fields.push_back({at, at + colon, next, line.substr(0, name_end), line.substr(colon + 1)});
    at = next;
  }
  block.end = block.body_begin = at;
  block.malformed = block.malformed || at < end;
  return block;
}

Message::Message(std::string bytes) : bytes_(std::move(bytes)) {
  if (std::string_view(bytes_).starts_with("From ")) header_begin_ = after_line(bytes_, 0, bytes_.size());
  const std::size_t lf = bytes_.find('\n');
  crlf_ = lf == std::string::npos || (lf > 0 && bytes_[lf - 1] == '\r');
  HeaderBlock block = read_header(bytes_, header_begin_, bytes_.size());
  fields_ = std::move(block.fields);
  header_end_ = block.end;
  body_begin_ = block.body_begin;
  has_blank_line_ = block.has_blank_line;
  malformed_header_ = block.malformed;
}

std::size_t Message::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const HeaderField& field) { return ascii::iequals(field.name, name); }));
}

const HeaderField* Message::find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const HeaderField& field) { return ascii::iequals(field.name, name); });
  return found == fields_.end() ? nullptr : &*found;
}

void MessageBuilder::add_header(std::string_view name, std::string_view value) {
  bytes_.append(name).push_back(':');
  // The MTA folds with LF; in the buffer every line ends with CRLF, as the body's do.
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t lf = std::min(value.find('\n', at), value.size());
    std::string_view line = value.substr(at, lf - at);
    if (lf < value.size() && !line.empty() && line.back() == '\r') line.remove_suffix(1);
    bytes_.append(line);
    if (lf < value.size()) bytes_.append("\r\n");
    at = lf + 1;
  }
  bytes_.append("\r\n");
}

void MessageBuilder::add_body(std::string_view chunk) {
  // From here on the buffer does not double, which would copy the message once more: it gets an address range
  // that nearly every message ends in. Memory is taken as bytes come. Where so much cannot be had, it
  // doubles.
  if (bytes_.size() + chunk.size() > std::max(bytes_.capacity(), kDoubles) && bytes_.capacity() < kRange) {
    try {
      reserve(kRange);
    } catch (const std::bad_alloc&) {
    }
  }
  bytes_.append(chunk);
}

void MessageBuilder::reserve(std::size_t bytes) {
  bytes_.reserve(bytes);
  if (bytes >= kOwnMapping) ask_for_large_pages(bytes_);
}

void MessageBuilder::end_headers() { bytes_.append("\r\n"); }

void MessageBuilder::use(std::string buffer) {
  buffer.assign(bytes_);
  bytes_ = std::move(buffer);
}

std::string MessageBuilder::take() {
  std::string taken = std::move(bytes_);
  bytes_ = std::string();
  return taken;
}

}  // namespace pixmilter::mail
