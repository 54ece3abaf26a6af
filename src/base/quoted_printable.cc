#include "base/quoted_printable.h"

#include <algorithm>
#include <cstring>

#include "base/ascii.h"
#include "base/byte_search.h"

namespace pixmilter::quoted_printable {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";
constexpr std::size_t kStride = 64;  // bytes that are copied at once, wanted or not

// Where the text goes on after the soft line break that this "=" makes; the same place where it makes none.
std::size_t after_soft_break(std::string_view text, std::size_t equals) {
  std::size_t after = equals + 1;
  while (after < text.size() && ascii::is_blank(text[after])) ++after;
  const bool crlf = after + 1 < text.size() && text[after] == '\r' && text[after + 1] == '\n';
  if (after < text.size() && text[after] != '\n' && !crlf) return equals;
  return std::min(text.size(), after + (crlf ? 2 : 1));
}

// Walks the encoded text and tells sink what comes out: run(offset, size) for bytes that stand for
// themselves, byte(offset, value) for an escape.
template <class Sink>
void walk(std::string_view text, Sink& sink) {
  std::size_t at = 0;
  std::size_t run = 0;  // start of the current run of literal bytes
  const auto end_run = [&](std::size_t end) {
    if (end > run) sink.run(run, end - run);
  };
  while (at < text.size()) {
    const std::size_t next = find_either(text, at, '=', '\n');
    if (next == text.size()) {
      // White space at the end of the text is padding too: no line end could follow to keep it.
      std::size_t end = text.size();
      while (end > at && ascii::is_blank(text[end - 1])) --end;
      end_run(std::max(end, run));
      return;
    }
    if (text[next] == '\n') {
      const std::size_t line_end = next > at && text[next - 1] == '\r' ? next - 1 : next;
      std::size_t end = line_end;
      while (end > at && ascii::is_blank(text[end - 1])) --end;
      if (end != line_end) {
        end_run(std::max(end, run));
        run = line_end;
      }
      at = next + 1;
      continue;
    }
    // "=": an escape, a soft line break, or neither.
    if (next + 2 < text.size() && ascii::hex_value(text[next + 1]) >= 0 &&
        ascii::hex_value(text[next + 2]) >= 0) {
      end_run(next);
      sink.byte(next,
                static_cast<char>(ascii::hex_value(text[next + 1]) * 16 + ascii::hex_value(text[next + 2])));
      at = run = next + 3;
      continue;
    }
    if (const std::size_t after = after_soft_break(text, next); after > next) {
      end_run(next);
      at = run = after;
      continue;
    }
    at = next + 1;  // malformed: stands for itself
  }
  end_run(text.size());
}

bool literal(char c) { return (c >= ' ' && c <= '~' && c != '=') || c == '\t'; }

}  // namespace

std::string decode(std::string_view text) {
  struct Sink {
    std::string_view text;
    std::string out;
    void run(std::size_t offset, std::size_t size) { out.append(text, offset, size); }
    void byte(std::size_t, char value) { out.push_back(value); }
  } sink{text, {}};
  sink.out.reserve(text.size());
  walk(text, sink);
  return std::move(sink.out);
}

// Nobody writes white space that decoding takes out, as RFC 2045 wants it escaped. Without it only "=" is
// looked for, and runs, which are short, are copied without a look at their length.
Glance::Glance(std::string_view text) {
  if (has_blank_before_line_end(text) || (!text.empty() && ascii::is_blank(text.back()))) {
    slow_ = decode(text);
    decoded_ = slow_;
    return;
  }
  room_.reset(new char[text.size() + kStride]);
  char* out = room_.get();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find('=', at), text.size());
    const std::size_t size = next - at;
    if (size <= kStride && text.size() - at >= kStride)
      std::memcpy(out, text.data() + at, kStride);
    else
      std::memcpy(out, text.data() + at, size);
    out += size;
    if (next == text.size()) break;
    const int high = next + 2 < text.size() ? ascii::hex_value(text[next + 1]) : -1;
    const int low = high >= 0 ? ascii::hex_value(text[next + 2]) : -1;
    if (low >= 0) {
      *out++ = static_cast<char>(high * 16 + low);
      at = next + 3;
    } else if (const std::size_t after = after_soft_break(text, next); after > next) {
      at = after;
    } else {
      *out++ = '=';
      at = next + 1;
    }
  }
  decoded_ = {room_.get(), static_cast<std::size_t>(out - room_.get())};
}

Mapped::Mapped(std::string_view text) : encoded_(text) {
  struct Sink {
    std::string_view text;
    std::string& out;
    std::vector<Step>& steps;
    void run(std::size_t offset, std::size_t size) {
      steps.push_back({out.size(), offset});
      out.append(text, offset, size);
    }
    void byte(std::size_t offset, char value) {
      steps.push_back({out.size(), offset});
      out.push_back(value);
    }
  } sink{text, decoded_, steps_};
  decoded_.reserve(text.size());
  walk(text, sink);
}

std::size_t Mapped::encoded_offset(std::size_t decoded_offset) const {
  if (decoded_offset >= decoded_.size()) return encoded_.size();
  const auto after =
      std::upper_bound(steps_.begin(), steps_.end(), decoded_offset,
                       [](std::size_t value, const Step& step) { return value < step.decoded; });
  const Step& step = *std::prev(after);
  return step.encoded + (decoded_offset - step.decoded);
}

std::size_t Mapped::encoded_end(std::size_t decoded_offset) const {
  if (decoded_offset == 0) return 0;
  const std::size_t last = encoded_offset(decoded_offset - 1);
  const bool escape = encoded_[last] == '=' && last + 2 < encoded_.size() &&
                      ascii::hex_value(encoded_[last + 1]) >= 0 && ascii::hex_value(encoded_[last + 2]) >= 0;
  return last + (escape ? 3 : 1);
}

std::size_t encode_run(std::string_view bytes, std::string_view eol, std::size_t column, std::string& out) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    // White space may end up before a line end, where it would be taken for padding.
    const bool as_is = literal(c) && !(ascii::is_blank(c) && i + 1 == bytes.size());
    const std::size_t width = as_is ? 1 : 3;
    if (column + width > kLineLimit - 1) {
      out.push_back('=');
      out.append(eol);
      column = 0;
    }
    if (as_is) {
      out.push_back(c);
    } else {
      const auto value = static_cast<unsigned char>(c);
      out.push_back('=');
      out.push_back(kHex[value >> 4]);
      out.push_back(kHex[value & 15]);
    }
    column += width;
  }
  return column;
}

void encode_text(std::string_view text, std::string_view eol, std::string& out) {
  while (!text.empty()) {
    const std::size_t lf = text.find('\n');
    std::string_view line = text.substr(0, lf);
    text.remove_prefix(lf == std::string_view::npos ? text.size() : lf + 1);
    if (lf != std::string_view::npos && !line.empty() && line.back() == '\r') line.remove_suffix(1);
    encode_run(line, eol, 0, out);
    if (lf != std::string_view::npos) out.append(eol);
  }
}

}  // namespace pixmilter::quoted_printable
