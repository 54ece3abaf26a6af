#include "image/netpbm.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "base/ascii.h"
#include "base/log.h"

namespace pixmilter::image {
namespace {

bool is_white(char c) { return ascii::is_space(c) || c == '\v'; }

// The tokens of a header: separated by white space, with comments from # to the end of the line.
class Tokens {
 public:
  Tokens(std::string_view bytes, std::size_t at) : bytes_(bytes), at_(at) {}

  std::string_view next() {
    while (at_ < bytes_.size()) {
      if (bytes_[at_] == '#')
        skip_line();
      else if (is_white(bytes_[at_]))
        ++at_;
      else
        break;
    }
    const std::size_t begin = at_;
    while (at_ < bytes_.size() && !is_white(bytes_[at_]) && bytes_[at_] != '#') ++at_;
    return bytes_.substr(begin, at_ - begin);
  }
  // Passes over the one white space character between header and raster. A comment may still stand before
  // it (older writers put one after maxval). False where there is none.
  bool end_header() {
    while (at_ < bytes_.size() && bytes_[at_] == '#') skip_line_but_end();
    if (at_ >= bytes_.size() || !is_white(bytes_[at_])) return false;
    ++at_;
    return true;
  }
  std::size_t at() const { return at_; }

 private:
  void skip_line() {
    skip_line_but_end();
    if (at_ < bytes_.size()) ++at_;
  }
  void skip_line_but_end() { at_ = std::min(bytes_.find('\n', at_), bytes_.size()); }

  std::string_view bytes_;
  std::size_t at_;
};

Error bad(std::string_view what, std::string_view value) {
  return Error{"netpbm: " + std::string(what) + " " + log::quoted(value)};
}

bool read_number(std::string_view text, std::uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

pixmilter::Status read_size(std::string_view width, std::string_view height, RawLayout& layout) {
  if (!read_number(width, layout.width) || layout.width == 0) return bad("width", width);
  if (!read_number(height, layout.height) || layout.height == 0) return bad("height", height);
  return Done{};
}

pixmilter::Status read_maxval(std::string_view text, Netpbm& out) {
  if (!read_number(text, out.maxval) || out.maxval == 0 || out.maxval > 65535) return bad("maxval", text);
  out.layout.format = out.maxval > 255 ? BandFormat::ushort : BandFormat::uchar;
  out.layout.big_endian = out.maxval > 255;
  return Done{};
}

Result<Netpbm> read_pnm(std::string_view bytes) {
  const char kind = bytes[1];
  Netpbm out;
  Tokens tokens(bytes, 2);
  const std::string_view width = tokens.next();
  if (auto s = read_size(width, tokens.next(), out.layout); !s) return s.error();
  out.layout.bands = kind == '3' || kind == '6' ? 3 : 1;
  switch (kind) {
    case '1':
      out.coding = Netpbm::Coding::text_bits;
      break;
    case '4':
      out.coding = Netpbm::Coding::packed_bits;
      break;
    case '2':
    case '3':
      out.coding = Netpbm::Coding::text;
      break;
    default:
      break;
  }
  if (kind != '1' && kind != '4')
    if (auto s = read_maxval(tokens.next(), out); !s) return s.error();
  if (!tokens.end_header()) return Error{"netpbm: the header does not end"};
  out.layout.offset = tokens.at();
  return out;
}

Result<Netpbm> read_pfm(std::string_view bytes) {
  Netpbm out;
  Tokens tokens(bytes, 2);
  const std::string_view width = tokens.next();
  if (auto s = read_size(width, tokens.next(), out.layout); !s) return s.error();
  std::string_view scale = tokens.next();
  double value = 0;
  const std::string_view digits = scale.starts_with('+') ? scale.substr(1) : scale;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value) || value == 0)
    return bad("scale", scale);
  if (!tokens.end_header()) return Error{"netpbm: the header does not end"};
  out.layout.bands = bytes[1] == 'F' ? 3 : 1;
  out.layout.format = BandFormat::float_;
  out.layout.big_endian = value > 0;
  out.layout.offset = tokens.at();
  out.unit = std::abs(value);
  out.bottom_up = true;
  return out;
}

// PAM's header is lines of a keyword and its value. TUPLTYPE may come several times: its values are joined.
Result<Netpbm> read_pam(std::string_view bytes) {
  Netpbm out;
  std::string_view width, height, depth, maxval;
  std::string type;
  std::size_t at = 3;
  for (;;) {
    const std::size_t end = bytes.find('\n', at);
    if (end == std::string_view::npos) return Error{"netpbm: the header does not end"};
    const std::string_view line = ascii::trim(bytes.substr(at, end - at));
    at = end + 1;
    if (line.empty() || line.front() == '#') continue;
    if (line == "ENDHDR") break;
    std::size_t space = 0;
    while (space < line.size() && !is_white(line[space])) ++space;
    const std::string_view key = line.substr(0, space);
    const std::string_view value = ascii::trim(line.substr(space));
    if (key == "TUPLTYPE") {
      type += (type.empty() ? "" : " ") + std::string(value);
      continue;
    }
    std::string_view* slot = key == "WIDTH"    ? &width
                             : key == "HEIGHT" ? &height
                             : key == "DEPTH"  ? &depth
                             : key == "MAXVAL" ? &maxval
                                               : nullptr;
    if (!slot) return bad("unknown keyword", key);
    if (!slot->empty()) return bad("comes twice:", key);
    *slot = value;
  }
  if (auto s = read_size(width, height, out.layout); !s) return s.error();
  if (!read_number(depth, out.layout.bands) || out.layout.bands < 1 || out.layout.bands > 4)
    return bad("depth", depth);
  if (auto s = read_maxval(maxval, out); !s) return s.error();
  static constexpr struct {
    std::string_view name;
    std::uint32_t bands;
  } kTypes[] = {{"BLACKANDWHITE", 1},       {"GRAYSCALE", 1},       {"RGB", 3},
                {"BLACKANDWHITE_ALPHA", 2}, {"GRAYSCALE_ALPHA", 2}, {"RGB_ALPHA", 4}};
  bool known = type.empty();
  for (const auto& one : kTypes) {
    if (type != one.name) continue;
    if (out.layout.bands != one.bands) return bad("the depth is not that of tuple type", type);
    known = true;
  }
  if (!known) return bad("unknown tuple type", type);
  out.layout.offset = at;
  return out;
}

// Bytes that the raster has at least; text may take any number of characters for a sample.
pixmilter::Status check_length(const Netpbm& picture, std::string_view bytes) {
  const RawLayout& layout = picture.layout;
  __extension__ typedef unsigned __int128 Wide;
  Wide needed = Wide{layout.width} * layout.height * layout.bands;
  switch (picture.coding) {
    case Netpbm::Coding::samples:
      needed *= sample_bytes(layout.format);
      break;
    case Netpbm::Coding::text:
      needed = needed * 2 - 1;
      break;  // a digit, and what parts it from the next
    case Netpbm::Coding::text_bits:
      break;
    case Netpbm::Coding::packed_bits:
      needed = Wide{(layout.width + 7ull) / 8} * layout.height;
      break;
  }
  const std::uint64_t present = bytes.size() - layout.offset;
  if (needed > present)
    return Error{"netpbm: too short: " + std::to_string(layout.width) + "x" + std::to_string(layout.height) +
                 " pixels take more than the " + std::to_string(present) + " bytes there are"};
  return Done{};
}

}  // namespace

Result<Netpbm> read_netpbm(std::string_view bytes) {
  Result<Netpbm> picture = Error{"netpbm: not known"};
  switch (sniff(bytes)) {
    case Format::pnm:
      picture = read_pnm(bytes);
      break;
    case Format::pfm:
      picture = read_pfm(bytes);
      break;
    case Format::pam:
      picture = read_pam(bytes);
      break;
    default:
      break;
  }
  if (!picture) return picture;
  if (auto status = check_length(*picture, bytes); !status) return status.error();
  return picture;
}

}  // namespace pixmilter::image
