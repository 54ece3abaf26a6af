#include "core/look_ahead.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/ascii.h"
#include "base/byte_search.h"
#include "base/quoted_printable.h"
#include "html/scan_ahead.h"

namespace pixmilter::core {
namespace {

constexpr std::string_view kField = "content-type";

// Words without which the value of a Content-Type names nothing that find() looks at. No folding and no
// comment can stand within a word; a "=?" may hide one from some parsers.
constexpr std::string_view kPictures[] = {"image", "npy", "external", "=?"};
constexpr std::string_view kHtml = "html";
constexpr std::string_view kOctets = "octet";  // application/octet-stream, which no type at all is read as

// A header that is longer is no reason to look for its end.
constexpr std::size_t kLongestHeader = 64 << 10;

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

// Whether a media type stands at the beginning, as nearly everybody writes it.
bool names_a_type(std::string_view value) {
  const auto is_letter = [](char c) { return ascii::is_alnum(c) || c == '-' || c == '+' || c == '.'; };
  value = ascii::trim(value);
  const auto slash = std::find_if_not(value.begin(), value.end(), is_letter);
  return slash != value.begin() && value.end() - slash >= 2 && *slash == '/' && is_letter(slash[1]);
}

bool contains(std::string_view value, std::string_view word) {
  return ascii::ifind(value, word) != std::string_view::npos;
}

// Where an empty line ends at or before from, or the text begins.
std::size_t after_empty_line(std::string_view bytes, std::size_t from) {
  for (std::size_t at = from; (at = bytes.rfind('\n', at)) != std::string_view::npos && at > 0; --at)
    if (bytes[at - 1] == '\n' || bytes.substr(0, at).ends_with("\n\r")) return at + 1;
  return 0;
}

std::size_t empty_line(std::string_view bytes, std::size_t from) {
  for (std::size_t at = from; (at = bytes.find('\n', at)) != std::string_view::npos; ++at)
    if (const std::string_view rest = bytes.substr(at + 1);
        rest.starts_with('\n') || rest.starts_with("\r\n"))
      return at;
  return bytes.size();
}

// What is left to look for once all fields have been seen.
class HtmlAhead {
 public:
  HtmlAhead(std::string_view bytes, const Plan& plan, bool links) : bytes_(bytes) {
    const auto asks = [](const config::Condition& c) { return c.key == config::Key::source; };
    wanted_.links = links;
    wanted_.files = plan.policy.sources.asset || plan.policy.sources.file;
    for (const std::vector<config::ImageRule>* rules : plan.images)
      for (const config::ImageRule& rule : *rules)
        if (std::any_of(rule.conditions.match.begin(), rule.conditions.match.end(), asks))
          wanted_.links = wanted_.files = true;
  }

  void octets() { wanted_.parts = true; }

  // A field that names HTML, whose value begins at value and whose name ends at colon.
  void html(std::size_t colon, std::string_view value) {
    const std::size_t begin = after_empty_line(bytes_, colon);
    const std::size_t end = empty_line(bytes_, colon);
    if (end - begin > kLongestHeader || !is_plain_charset(value)) {
      opaque_ = true;
      return;
    }
    const std::string_view header = bytes_.substr(begin, end - begin);
    if (contains(header, "base64")) opaque_ = true;
    std::size_t& from = contains(header, "quoted-printable") ? encoded_from_ : plain_from_;
    from = std::min(from, begin);
  }

  bool may_refer() const {
    if (opaque_) return true;
    if (plain_from_ < bytes_.size() && html::may_hold_references(bytes_.substr(plain_from_), wanted_))
      return true;
    if (encoded_from_ >= bytes_.size()) return false;
    // Most that holds a picture says so in one piece, and then nothing has to be decoded to see it.
    const std::string_view encoded = bytes_.substr(encoded_from_);
    if (find_word(encoded, 0, "data:") < encoded.size()) return true;
    // All that follows, as if it were encoded so: of the HTML this makes what it is.
    return html::may_hold_references(quoted_printable::Glance(encoded).decoded(), wanted_);
  }

 private:
  // Whether letters are what they are in ASCII.
  static bool is_plain_charset(std::string_view value) {
    const std::size_t at = ascii::ifind(value, "charset");
    if (at == std::string_view::npos) return true;
    std::string_view label = value.substr(at + 7);
    label.remove_prefix(std::min(label.find_first_not_of("= \t\"*"), label.size()));
    label = label.substr(0, label.find_first_of("\"; \t\r\n"));
    for (const std::string_view known : {"utf-8", "us-ascii", "iso-8859-", "windows-125", "koi8-"})
      if (ascii::istarts_with(label, known)) return label.find_first_of("%'\\(") == std::string_view::npos;
    return false;
  }

  std::string_view bytes_;
  html::Wanted wanted_;
  bool opaque_ = false;  // only a parser can tell
  std::size_t plain_from_ = std::string_view::npos;
  std::size_t encoded_from_ = std::string_view::npos;
};

}  // namespace

// All fields of that name count, wherever they stand: in a text, too, and so in the header of any part that a
// parser could find. Between them the bytes are passed over at the speed of memory; base64 holds no colon.
bool may_hold_pictures(const mail::Message& message, const Plan& plan, bool links) {
  const std::string_view bytes = message.bytes();
  const bool octets =
      std::any_of(plan.images.begin(), plan.images.end(), [](const auto* rules) { return !rules->empty(); });
  HtmlAhead ahead(bytes, plan, links);
  std::size_t from = 0;
  for (std::size_t colon; (colon = bytes.find(':', from)) != std::string_view::npos;) {
    from = colon + 1;
    if (!is_content_type(bytes, colon)) continue;
    const std::string_view value = value_from(bytes, from);
    const auto names = [&](std::string_view word) { return contains(value, word); };
    if (std::any_of(std::begin(kPictures), std::end(kPictures), names)) return true;
    if (names(kOctets) || !names_a_type(value)) {
      if (octets) return true;
      ahead.octets();
    }
    if (names(kHtml)) ahead.html(colon, value);
    from += value.size();  // a field within this one has a part of its value
  }
  return ahead.may_refer();
}

}  // namespace pixmilter::core
