// Runs of plain alphabet are taken in blocks where the processor can (base64_blocks.h), then four characters
// at a time; anything else (line ends, junk) drops to the byte loop for a moment. What is made goes through a
// buffer on the stack: to fill a string with zeros before its bytes are written costs as much as the work
// itself.
#include "base/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/ascii.h"
#include "base/base64_blocks.h"

namespace pixmilter::base64 {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xFF;
constexpr std::size_t kLineBytes = 57;
constexpr std::size_t kLineCharacters = 76;
constexpr std::size_t kPiece = 4096;  // characters dealt with at a time

constexpr std::array<std::uint8_t, 256> make_values(bool url_safe) {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(kAlphabet[i])] = i;
  if (url_safe) {
    values['-'] = 62;
    values['_'] = 63;
  }
  return values;
}
constexpr auto kValues = make_values(false);
constexpr auto kUrlValues = make_values(true);

char* encode_run(const unsigned char* in, std::size_t size, char* out) {
  if (has_blocks()) {
    const std::size_t done = encode_blocks(reinterpret_cast<const char*>(in), size, out);
    in += done;
    size -= done;
    out += done / 3 * 4;
  }
  for (; size >= 3; size -= 3, in += 3) {
    const std::uint32_t group = in[0] << 16 | in[1] << 8 | in[2];
    *out++ = kAlphabet[group >> 18];
    *out++ = kAlphabet[group >> 12 & 63];
    *out++ = kAlphabet[group >> 6 & 63];
    *out++ = kAlphabet[group & 63];
  }
  if (size > 0) {
    const std::uint32_t group = in[0] << 16 | (size == 2 ? in[1] << 8 : 0);
    *out++ = kAlphabet[group >> 18];
    *out++ = kAlphabet[group >> 12 & 63];
    *out++ = size == 2 ? kAlphabet[group >> 6 & 63] : '=';
    *out++ = '=';
  }
  return out;
}

// Memory that has room for all that is made, with the words of a string.
struct Room {
  char* to;
  void push_back(char c) { *to++ = c; }
  void append(const char* bytes, std::size_t size) { to = std::copy_n(bytes, size, to); }
};

// Collects sextets and writes the bytes they make. Out: a string or Room.
template <class Out>
struct Collector {
  Out& out;
  std::uint32_t bits = 0;
  int count = 0;

  void add(std::uint8_t value) {
    bits = bits << 6 | value;
    if (++count == 4) {
      out.push_back(static_cast<char>(bits >> 16));
      out.push_back(static_cast<char>(bits >> 8));
      out.push_back(static_cast<char>(bits));
      bits = 0;
      count = 0;
    }
  }
  // Ends a group early: two sextets make a byte, three make two. One alone makes none.
  void flush() {
    if (count == 2) out.push_back(static_cast<char>(bits >> 4));
    if (count == 3) {
      out.push_back(static_cast<char>(bits >> 10));
      out.push_back(static_cast<char>(bits >> 2));
    }
    bits = 0;
    count = 0;
  }
};

// Decodes whole groups as long as only alphabet comes; returns where it stopped. text has at most kPiece
// characters from at on.
template <class Out>
std::size_t decode_groups(std::string_view text, std::size_t at, const std::array<std::uint8_t, 256>& values,
                          Out& out) {
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  std::array<char, kPiece / 4 * 3 + kBlockSlack> buffer;
  char* to = buffer.data();
  if (has_blocks()) {
    std::size_t lines = 0;
    at += decode_lines(text.data() + at, text.size() - at, kPiece / kLineCharacters, to, lines);
    to += lines * kLineBytes;
    const std::size_t done = decode_blocks(text.data() + at, text.size() - at, to);
    at += done;
    to += done / 4 * 3;
  }
  while (at + 4 <= text.size()) {
    const std::uint8_t a = values[in[at]], b = values[in[at + 1]], c = values[in[at + 2]],
                       d = values[in[at + 3]];
    if ((a | b | c | d) & 0xC0) break;
    const std::uint32_t group = a << 18 | b << 12 | c << 6 | d;
    *to++ = static_cast<char>(group >> 16);
    *to++ = static_cast<char>(group >> 8);
    *to++ = static_cast<char>(group);
    at += 4;
  }
  out.append(buffer.data(), static_cast<std::size_t>(to - buffer.data()));
  return at;
}

template <class Out>
void decode_lenient_to(std::string_view text, Out& out) {
  Collector<Out> collector{out};
  for (std::size_t at = 0; at < text.size();) {
    if (collector.count == 0) {
      at = decode_groups(text.substr(0, std::min(text.size(), at + kPiece)), at, kValues, out);
      if (at == text.size()) break;
    }
    const char c = text[at++];
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value != kNone)
      collector.add(value);
    else if (c == '=')
      collector.flush();
  }
  collector.flush();
}

}  // namespace

void encode_lines(std::string_view bytes, std::string_view eol, std::string& out) {
  constexpr std::size_t kLongestEol = 2;
  constexpr std::size_t kLinesAtOnce = 48;
  const std::size_t lines = (bytes.size() + kLineBytes - 1) / kLineBytes;
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4 + lines * eol.size());
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  eol = eol.substr(0, kLongestEol);
  std::array<char, kLinesAtOnce*(kLineCharacters + kLongestEol)> buffer;
  for (std::size_t left = bytes.size(); left > 0;) {
    char* to = buffer.data();
    std::size_t line = 0;
    if (has_blocks()) {
      line = encode_whole_lines(reinterpret_cast<const char*>(in), left, kLinesAtOnce, eol, to);
      in += line * kLineBytes;
      left -= line * kLineBytes;
      to += line * (kLineCharacters + eol.size());
    }
    for (; line < kLinesAtOnce && left > 0; ++line) {
      const std::size_t take = std::min(left, kLineBytes);
      to = encode_run(in, take, to);
      to = std::copy_n(eol.data(), eol.size(), to);
      in += take;
      left -= take;
    }
    out.append(buffer.data(), static_cast<std::size_t>(to - buffer.data()));
  }
}

void encode(std::string_view bytes, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  encode_run(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data() + start);
}

std::string decode_lenient(std::string_view text) {
  std::string out;
  out.reserve(most_decoded(text.size()));
  decode_lenient_to(text, out);
  return out;
}

std::size_t decode_lenient(std::string_view text, char* room) {
  Room out{room};
  decode_lenient_to(text, out);
  return static_cast<std::size_t>(out.to - room);
}

bool decodes_to(std::string_view text, std::string_view bytes) {
  std::array<char, kPiece / 4 * 3 + kBlockSlack> buffer;
  while (has_blocks()) {
    std::size_t lines = 0;
    const std::size_t read = decode_lines(text.data(), std::min(text.size(), kPiece),
                                          kPiece / kLineCharacters, buffer.data(), lines);
    if (lines == 0) break;
    const std::string_view made(buffer.data(), lines * kLineBytes);
    if (!bytes.starts_with(made)) return false;
    text.remove_prefix(read);
    bytes.remove_prefix(made.size());
  }
  return decode_lenient(text) == bytes;
}

std::optional<std::string> decode_forgiving(std::string_view text) {
  std::string out;
  out.reserve(most_decoded(text.size()));
  Collector<std::string> collector{out};
  int padding = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (collector.count == 0 && padding == 0) {
      at = decode_groups(text.substr(0, std::min(text.size(), at + kPiece)), at, kUrlValues, out);
      if (at == text.size()) break;
    }
    const char c = text[at++];
    if (ascii::is_space(c)) continue;
    if (c == '=') {
      if (++padding > 2) return std::nullopt;
      continue;
    }
    const std::uint8_t value = kUrlValues[static_cast<unsigned char>(c)];
    if (value == kNone || padding > 0) return std::nullopt;
    collector.add(value);
  }
  if (collector.count == 1) return std::nullopt;
  if (padding > 0 && (collector.count == 0 || collector.count + padding > 4)) return std::nullopt;
  collector.flush();
  return out;
}

}  // namespace pixmilter::base64
