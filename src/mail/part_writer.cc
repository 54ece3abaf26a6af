#include "mail/part_writer.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/byte_search.h"
#include "base/hash.h"

namespace pixmilter::mail {
namespace {

constexpr std::size_t kLineLimit = 78;
constexpr std::size_t kSectionLength = 60;  // characters of one RFC 2231 section

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

// RFC 2231 section 4: attribute-char as it is, the rest as %XX.
std::string percent_encoded(char c) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  if (ascii::is_alnum(c) ||
      (c != '\0' && std::string_view("!#$&+-.^_`{|}~").find(c) != std::string_view::npos))
    return {c};
  const auto byte = static_cast<unsigned char>(c);
  return {'%', kHex[byte >> 4], kHex[byte & 15]};
}

// The `name=value` texts that together say one parameter.
std::vector<std::string> sections(const std::string& name, const std::string& value) {
  if (printable(value) && name.size() + value.size() + 4 < kLineLimit) return {name + "=" + quoted(value)};
  std::vector<std::string> encoded{"UTF-8''"};
  for (const char c : value) {
    const std::string piece = percent_encoded(c);
    // A UTF-8 sequence may be cut: the sections are joined before they are decoded.
    if (encoded.back().size() + piece.size() > kSectionLength) encoded.emplace_back();
    encoded.back() += piece;
  }
  if (encoded.size() == 1) return {name + "*=" + encoded[0]};
  for (std::size_t i = 0; i < encoded.size(); ++i)
    encoded[i] = name + "*" + std::to_string(i) + "*=" + encoded[i];
  return encoded;
}

}  // namespace

std::string structured_value(std::string_view first, const Parameters& parameters, std::size_t name_width) {
  std::string out(first);
  std::size_t column = name_width + first.size();
  for (const auto& [name, value] : parameters) {
    for (const std::string& section : sections(name, value)) {
      if (column + section.size() + 3 > kLineLimit) {
        out += ";\n ";
        column = 1;
      } else {
        out += "; ";
        column += 2;
      }
      out += section;
      column += section.size();
    }
  }
  return out;
}

std::string field(std::string_view name, std::string_view value, std::string_view eol) {
  std::string out(name);
  out.push_back(':');
  for (const char c : value) {
    if (c == '\n')
      out.append(eol);
    else if (c != '\r')
      out.push_back(c);
  }
  out.append(eol);
  return out;
}

std::string image_part_header(const ImagePart& image, std::string_view eol) {
  const auto line = [&](std::string_view name, const std::string& value) {
    return field(name, " " + value, eol);
  };
  std::string out = line("Content-Type", structured_value(image.media_type, {{"name", image.name}}, 14));
  out += line("Content-Transfer-Encoding", "base64");
  out += line("Content-Disposition", structured_value("inline", {{"filename", image.name}}, 21));
  out += line("Content-ID", "<" + image.content_id + ">");
  out += eol;
  return out;
}

namespace {

// boundary: its first two bytes stand in few texts.
bool contains(std::string_view text, std::string_view boundary) {
  for (std::size_t at = 0; (at = find_pair(text, at, boundary[0], boundary[1])) < text.size(); ++at)
    if (text.substr(at).starts_with(boundary)) return true;
  return false;
}

}  // namespace

std::string fresh_boundary(const Message& message, std::size_t number,
                           const std::vector<std::string>& content) {
  constexpr std::size_t kHashBytes = 16;
  for (std::uint64_t attempt = 0;; ++attempt) {
    Hasher hasher;
    hasher.field(attempt).field(number);
    for (const std::string& one : content) hasher.field(one);
    // "=_" stands in no quoted-printable and no base64 text (RFC 2045 section 6.7).
    std::string boundary = "=_" + hex(hasher.finish(), kHashBytes);
    if (!contains(message.bytes(), boundary)) return boundary;
  }
}

}  // namespace pixmilter::mail
