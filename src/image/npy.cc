#include "image/npy.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "base/log.h"
#include "image/bytes.h"
#include "image/layout.h"

namespace pixmilter::image {
namespace {

// numpy itself refuses longer headers unless told that the file is trusted.
constexpr std::size_t kMaxHeader = 10'000;

struct Header {
  std::string_view descr;
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
};

Error bad(std::string why) { return Error{"npy header: " + std::move(why)}; }

// A view over the literal that hands out its tokens. Each take_ function leaves the place as it was where
// it yields nothing.
class Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  // A string in either quotes, with the prefix of Python 2's unicode or Python 3's bytes or without.
  // Escapes do not occur in what numpy writes and are refused.
  std::optional<std::string_view> take_string() {
    skip_space();
    std::size_t at = at_;
    if (at + 1 < text_.size() && (text_[at] == 'u' || text_[at] == 'b') &&
        (text_[at + 1] == '\'' || text_[at + 1] == '"'))
      ++at;
    if (at >= text_.size() || (text_[at] != '\'' && text_[at] != '"')) return {};
    const char quote = text_[at++];
    const std::size_t end = text_.find(quote, at);
    if (end == std::string_view::npos) return {};
    const std::string_view value = text_.substr(at, end - at);
    if (value.find_first_of("\\\n\r") != std::string_view::npos) return {};
    at_ = end + 1;
    return value;
  }
  // True or False, as words of their own.
  std::optional<bool> take_bool() {
    if (take_word("True")) return true;
    if (take_word("False")) return false;
    return {};
  }
  // A decimal integer, with the L that Python 2 wrote behind long ones.
  std::optional<std::uint64_t> take_integer() {
    skip_space();
    std::size_t at = at_;
    std::uint64_t value = 0;
    while (at < text_.size() && ascii::is_digit(text_[at])) {
      const auto digit = static_cast<std::uint64_t>(text_[at] - '0');
      if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return {};
      value = value * 10 + digit;
      ++at;
    }
    if (at == at_ || (at - at_ > 1 && text_[at_] == '0')) return {};
    if (at < text_.size() && (text_[at] == 'L' || text_[at] == 'l')) ++at;
    if (at < text_.size() && ascii::is_alnum(text_[at])) return {};
    at_ = at;
    return value;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && ascii::is_space(text_[at_])) ++at_;
  }
  bool take_word(std::string_view word) {
    skip_space();
    if (text_.substr(at_, word.size()) != word) return false;
    const std::size_t end = at_ + word.size();
    if (end < text_.size() && (ascii::is_alnum(text_[end]) || text_[end] == '_')) return false;
    at_ = end;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<std::vector<std::uint64_t>> read_shape(Literal& literal) {
  std::vector<std::uint64_t> shape;
  if (!literal.take('(')) return bad("'shape' is no tuple");
  bool comma = false;
  while (!literal.take(')')) {
    if (!shape.empty() && !comma) return bad("'shape' lacks a comma");
    const auto extent = literal.take_integer();
    if (!extent) return bad("'shape' holds something else than whole numbers");
    if (shape.size() == 8) return bad("'shape' has more than 8 dimensions");
    shape.push_back(*extent);
    comma = literal.take(',');
  }
  if (shape.size() == 1 && !comma) return bad("'shape' is a number in parentheses, not a tuple");
  return shape;
}

Result<Header> read_header(std::string_view text) {
  Literal literal(text);
  Header header;
  bool have_descr = false;
  bool have_order = false;
  bool have_shape = false;
  // A key that comes twice would mean different things to different readers.
  const auto first = [](bool& seen) { return std::exchange(seen, true) == false; };
  if (!literal.take('{')) return bad("does not begin with a dictionary");
  bool comma = true;
  while (!literal.take('}')) {
    if (!comma) return bad("lacks a comma between entries");
    const auto key = literal.take_string();
    if (!key) return bad("a key is no plain string");
    if (!literal.take(':')) return bad("lacks a colon after " + log::quoted(*key));
    if (*key == "descr") {
      if (!first(have_descr)) return bad("'descr' comes twice");
      if (literal.peek() == '[') return bad("structured dtypes are not pictures");
      const auto value = literal.take_string();
      if (!value) return bad("'descr' is no plain string");
      header.descr = *value;
    } else if (*key == "fortran_order") {
      if (!first(have_order)) return bad("'fortran_order' comes twice");
      const auto value = literal.take_bool();
      if (!value) return bad("'fortran_order' is neither True nor False");
      header.fortran_order = *value;
    } else if (*key == "shape") {
      if (!first(have_shape)) return bad("'shape' comes twice");
      Result<std::vector<std::uint64_t>> shape = read_shape(literal);
      if (!shape) return shape.error();
      header.shape = std::move(*shape);
    } else {
      return bad("has an unknown key " + log::quoted(*key));
    }
    comma = literal.take(',');
  }
  if (!literal.at_end()) return bad("something follows the dictionary");
  if (!have_descr || !have_order || !have_shape)
    return bad(std::string("lacks '") +
               (!have_descr   ? "descr"
                : !have_order ? "fortran_order"
                              : "shape") +
               "'");
  return header;
}

// A dtype string of the array protocol: byte order, kind, bytes of an item.
pixmilter::Status read_descr(std::string_view descr, RawLayout& layout) {
  const auto refuse = [&](std::string_view why) {
    return bad("dtype " + log::quoted(descr) + " " + std::string(why));
  };
  std::string_view rest = descr;
  char order = '\0';
  if (!rest.empty() && std::string_view("<>|=").find(rest.front()) != std::string_view::npos) {
    order = rest.front();
    rest.remove_prefix(1);
  }
  if (rest.starts_with('O')) return refuse("holds Python objects, which are never unpacked");
  static constexpr struct {
    std::string_view code;
    BandFormat format;
  } kCodes[] = {
      {"b1", BandFormat::boolean}, {"u1", BandFormat::uchar},  {"i1", BandFormat::char_},
      {"u2", BandFormat::ushort},  {"i2", BandFormat::short_}, {"u4", BandFormat::uint},
      {"i4", BandFormat::int_},    {"u8", BandFormat::uint64}, {"i8", BandFormat::int64},
      {"f2", BandFormat::half},    {"f4", BandFormat::float_}, {"f8", BandFormat::double_},
  };
  for (const auto& known : kCodes) {
    if (known.code != rest) continue;
    layout.format = known.format;
    if (sample_bytes(known.format) > 1 && order != '<' && order != '>')
      return refuse("does not say its byte order");
    layout.big_endian = order == '>' && sample_bytes(known.format) > 1;
    return Done{};
  }
  if (rest.starts_with('c')) return refuse("is complex: no picture");
  if (rest.starts_with('S') || rest.starts_with('U') || rest.starts_with('a'))
    return refuse("is text: no picture");
  if (rest.starts_with('M') || rest.starts_with('m')) return refuse("is time: no picture");
  if (rest.starts_with('V')) return refuse("is a structure: no picture");
  return refuse("is not known");
}

pixmilter::Status read_extents(const std::vector<std::uint64_t>& shape, RawLayout& layout) {
  std::string text = "(";
  for (const std::uint64_t extent : shape) text += std::to_string(extent) + ",";
  text += ")";
  const auto refuse = [&](std::string_view why) {
    return Error{"npy shape " + text + " " + std::string(why)};
  };
  for (const std::uint64_t extent : shape) {
    if (extent == 0) return refuse("holds no pixels");
    if (extent > std::numeric_limits<std::uint32_t>::max()) return refuse("is too large");
  }
  const auto extent = [&](std::size_t i) { return static_cast<std::uint32_t>(shape[i]); };
  switch (shape.size()) {
    case 2:
      layout.height = extent(0), layout.width = extent(1);
      break;
    case 3:
      if (shape[2] <= 4)
        layout.height = extent(0), layout.width = extent(1), layout.bands = extent(2);
      else
        layout.frames = extent(0), layout.height = extent(1), layout.width = extent(2);
      break;
    case 4:
      if (shape[3] > 4) return refuse("has more than 4 bands");
      layout.frames = extent(0), layout.height = extent(1), layout.width = extent(2),
      layout.bands = extent(3);
      break;
    default:
      return refuse("is no picture's: 2, 3 or 4 dimensions are");
  }
  return Done{};
}

}  // namespace

Result<RawLayout> read_npy(std::string_view bytes) {
  if (!bytes.starts_with("\x93NUMPY")) return Error{"npy: the magic string is missing"};
  if (!has(bytes, 6, 4)) return Error{"npy: cut short in its header"};
  const std::uint32_t major = u8(bytes, 6);
  const std::uint32_t minor = u8(bytes, 7);
  if (major < 1 || major > 3 || minor != 0)
    return Error{"npy: version " + std::to_string(major) + "." + std::to_string(minor) + " is not known"};
  if (major > 1 && !has(bytes, 8, 4)) return Error{"npy: cut short in its header"};
  const std::size_t begin = major == 1 ? 10 : 12;
  const std::size_t length = major == 1 ? u16_little(bytes, 8) : u32_little(bytes, 8);
  if (length > kMaxHeader)
    return Error{"npy: the header has more than " + std::to_string(kMaxHeader) + " bytes"};
  if (!has(bytes, begin, length)) return Error{"npy: cut short in its header"};

  const Result<Header> header = read_header(bytes.substr(begin, length));
  if (!header) return header.error();
  RawLayout layout;
  layout.offset = begin + length;
  layout.fortran_order = header->fortran_order;
  if (const auto status = read_descr(header->descr, layout); !status) return status.error();
  if (const auto status = read_extents(header->shape, layout); !status) return status.error();
  if (const auto status = check_layout(layout, bytes); !status) return Error{"npy: " + status.error().text};
  return layout;
}

}  // namespace pixmilter::image
