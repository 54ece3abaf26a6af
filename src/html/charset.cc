#include "html/charset.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <iterator>

#include "base/ascii.h"
#include "base/byte_search.h"
#include "html/shifted.h"
#include "html/tokenizer.h"

namespace pixmilter::html {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr char kMask = '\x80';
// A UTF-16 or UTF-32 text of markup has a NUL in at least this share of its bytes: one in kNulShare.
constexpr std::size_t kNulShare = 8;
constexpr std::size_t kSample = 4096;  // bytes that are looked at to judge a text

// How the characters of a multibyte set are made.
enum class Family : std::uint8_t { none, gb18030, big5, shift_jis, euc_kr, euc_jp };

struct Entry {
  std::string_view label;
  CharsetKind kind;
  std::string_view encoding;  // for iconv
  Family family = Family::none;
};

// Labels whose kind is not ascii_superset, or whose iconv name is another. "utf-16" and the like get their
// byte order from the text.
constexpr Entry kLabels[] = {
    {"utf-8", CharsetKind::utf8, "UTF-8"},
    {"utf8", CharsetKind::utf8, "UTF-8"},
    {"unicode-1-1-utf-8", CharsetKind::utf8, "UTF-8"},
    {"unicode11utf8", CharsetKind::utf8, "UTF-8"},
    {"x-unicode20utf8", CharsetKind::utf8, "UTF-8"},
    {"gb2312", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"gb_2312", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"gb_2312-80", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"csgb2312", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"chinese", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"euc-cn", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"gbk", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"x-gbk", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"cp936", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"ms936", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"windows-936", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"gb18030", CharsetKind::multibyte, "GB18030", Family::gb18030},
    {"big5", CharsetKind::multibyte, "BIG5-HKSCS", Family::big5},
    {"big5-hkscs", CharsetKind::multibyte, "BIG5-HKSCS", Family::big5},
    {"big5hkscs", CharsetKind::multibyte, "BIG5-HKSCS", Family::big5},
    {"cn-big5", CharsetKind::multibyte, "BIG5-HKSCS", Family::big5},
    {"csbig5", CharsetKind::multibyte, "BIG5-HKSCS", Family::big5},
    {"x-x-big5", CharsetKind::multibyte, "BIG5-HKSCS", Family::big5},
    {"cp950", CharsetKind::multibyte, "CP950", Family::big5},
    {"windows-950", CharsetKind::multibyte, "CP950", Family::big5},
    {"shift_jis", CharsetKind::multibyte, "CP932", Family::shift_jis},
    {"shift-jis", CharsetKind::multibyte, "CP932", Family::shift_jis},
    {"sjis", CharsetKind::multibyte, "CP932", Family::shift_jis},
    {"x-sjis", CharsetKind::multibyte, "CP932", Family::shift_jis},
    {"csshiftjis", CharsetKind::multibyte, "CP932", Family::shift_jis},
    {"ms_kanji", CharsetKind::multibyte, "CP932", Family::shift_jis},
    {"ms932", CharsetKind::multibyte, "CP932", Family::shift_jis},
    {"cp932", CharsetKind::multibyte, "CP932", Family::shift_jis},
    {"windows-31j", CharsetKind::multibyte, "CP932", Family::shift_jis},
    {"cswindows31j", CharsetKind::multibyte, "CP932", Family::shift_jis},
    {"euc-kr", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"cseuckr", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"korean", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"ks_c_5601-1987", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"ks_c_5601-1989", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"ksc5601", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"ksc_5601", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"csksc56011987", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"iso-ir-149", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"windows-949", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"cp949", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"uhc", CharsetKind::multibyte, "CP949", Family::euc_kr},
    {"johab", CharsetKind::multibyte, "JOHAB", Family::big5},
    {"cp1361", CharsetKind::multibyte, "JOHAB", Family::big5},
    {"euc-jp", CharsetKind::multibyte, "EUC-JP-MS", Family::euc_jp},
    {"x-euc-jp", CharsetKind::multibyte, "EUC-JP-MS", Family::euc_jp},
    {"eucjp", CharsetKind::multibyte, "EUC-JP-MS", Family::euc_jp},
    {"cseucpkdfmtjapanese", CharsetKind::multibyte, "EUC-JP-MS", Family::euc_jp},
    {"euc-tw", CharsetKind::multibyte, "EUC-TW", Family::euc_jp},
    {"utf-16", CharsetKind::foreign, "UTF-16"},
    {"utf16", CharsetKind::foreign, "UTF-16"},
    {"utf-16le", CharsetKind::foreign, "UTF-16LE"},
    {"utf-16be", CharsetKind::foreign, "UTF-16BE"},
    {"unicode", CharsetKind::foreign, "UTF-16"},
    {"csunicode", CharsetKind::foreign, "UTF-16"},
    {"iso-10646-ucs-2", CharsetKind::foreign, "UTF-16"},
    {"ucs-2", CharsetKind::foreign, "UTF-16"},
    {"unicodefeff", CharsetKind::foreign, "UTF-16"},
    {"unicodefffe", CharsetKind::foreign, "UTF-16BE"},
    {"utf-32", CharsetKind::foreign, "UTF-32"},
    {"utf32", CharsetKind::foreign, "UTF-32"},
    {"utf-32le", CharsetKind::foreign, "UTF-32LE"},
    {"utf-32be", CharsetKind::foreign, "UTF-32BE"},
    {"iso-10646-ucs-4", CharsetKind::foreign, "UTF-32"},
    {"ucs-4", CharsetKind::foreign, "UTF-32"},
    {"utf-7", CharsetKind::foreign, "UTF-7"},
    {"utf7", CharsetKind::foreign, "UTF-7"},
    {"unicode-1-1-utf-7", CharsetKind::foreign, "UTF-7"},
    {"csunicode11utf7", CharsetKind::foreign, "UTF-7"},
    {"iso-2022-jp", CharsetKind::foreign, "ISO-2022-JP"},
    {"csiso2022jp", CharsetKind::foreign, "ISO-2022-JP"},
    {"iso-2022-jp-1", CharsetKind::foreign, "ISO-2022-JP"},
    {"iso-2022-jp-2", CharsetKind::foreign, "ISO-2022-JP"},
    {"iso-2022-jp-3", CharsetKind::foreign, "ISO-2022-JP"},
    {"iso-2022-jp-2004", CharsetKind::foreign, "ISO-2022-JP"},
    {"iso-2022-jp-ms", CharsetKind::foreign, "ISO-2022-JP"},
    {"cp50220", CharsetKind::foreign, "ISO-2022-JP"},
    {"cp50221", CharsetKind::foreign, "ISO-2022-JP"},
    {"iso-2022-kr", CharsetKind::foreign, "ISO-2022-KR"},
    {"csiso2022kr", CharsetKind::foreign, "ISO-2022-KR"},
    {"iso-2022-cn", CharsetKind::foreign, "ISO-2022-CN"},
    {"iso-2022-cn-ext", CharsetKind::foreign, "ISO-2022-CN-EXT"},
    {"hz-gb-2312", CharsetKind::foreign, "HZ"},
    {"hz", CharsetKind::foreign, "HZ"},
    {"us-ascii", CharsetKind::ascii_superset, "WINDOWS-1252"},
    {"ascii", CharsetKind::ascii_superset, "WINDOWS-1252"},
    {"iso-8859-1", CharsetKind::ascii_superset, "WINDOWS-1252"},
    {"iso8859-1", CharsetKind::ascii_superset, "WINDOWS-1252"},
    {"iso_8859-1", CharsetKind::ascii_superset, "WINDOWS-1252"},
    {"latin1", CharsetKind::ascii_superset, "WINDOWS-1252"},
    {"iso-8859-8-i", CharsetKind::ascii_superset, "ISO-8859-8"},
    {"iso-8859-9", CharsetKind::ascii_superset, "WINDOWS-1254"},
    {"iso-8859-11", CharsetKind::ascii_superset, "WINDOWS-874"},
    {"tis-620", CharsetKind::ascii_superset, "WINDOWS-874"},
    {"x-mac-roman", CharsetKind::ascii_superset, "MACINTOSH"},
    {"x-user-defined", CharsetKind::ascii_superset, ""},
};

const Entry* find_entry(std::string_view label) {
  for (const Entry& entry : kLabels)
    if (ascii::iequals(entry.label, label)) return &entry;
  return nullptr;
}

// EBCDIC code pages go by numbers.
bool is_ebcdic(std::string_view label) {
  for (const std::string_view prefix : {"ibm", "cp", "ebcdic-cp-", "x-ibm", ""}) {
    if (!ascii::istarts_with(label, prefix)) continue;
    const std::string_view number = label.substr(prefix.size());
    for (const std::string_view known :
         {"037",  "273",  "277",  "278",  "280",  "284",  "285",  "297",  "500",  "870",  "871",
          "1026", "1047", "1140", "1141", "1142", "1143", "1144", "1145", "1146", "1147", "1148"})
      if (number == known && !prefix.empty()) return true;
  }
  return ascii::istarts_with(label, "ebcdic");
}

// Without quotes, and without the comment that may follow: "us-ascii (Plain text)" is an example of RFC 2045.
std::string_view clean(std::string_view label) {
  label = ascii::trim(label.substr(0, label.find('(')));
  while (!label.empty() && (label.front() == '"' || label.front() == '\'')) label.remove_prefix(1);
  while (!label.empty() && (label.back() == '"' || label.back() == '\'')) label.remove_suffix(1);
  return ascii::trim(label);
}

// A byte order mark's encoding and length.
struct Mark {
  std::string_view bytes;
  CharsetKind kind;
  std::string_view encoding;
};
constexpr Mark kMarks[] = {{{"\xEF\xBB\xBF", 3}, CharsetKind::utf8, "UTF-8"},
                           {{"\xFF\xFE\0\0", 4}, CharsetKind::foreign, "UTF-32LE"},
                           {{"\0\0\xFE\xFF", 4}, CharsetKind::foreign, "UTF-32BE"},
                           {{"\xFF\xFE", 2}, CharsetKind::foreign, "UTF-16LE"},
                           {{"\xFE\xFF", 2}, CharsetKind::foreign, "UTF-16BE"}};

// UTF-16 or UTF-32 with the byte order that the NULs of its ASCII characters tell; an empty name where
// there are too few of them.
std::string wide_encoding(std::string_view text, std::string_view name) {
  const std::size_t unit = name.starts_with("UTF-32") ? 4 : 2;
  const std::string_view sample = text.substr(0, std::min(text.size(), kSample));
  std::size_t first = 0, last = 0, all = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    if (sample[i] != 0) continue;
    ++all;
    first += i % unit == 0 ? 1 : 0;
    last += i % unit == unit - 1 ? 1 : 0;
  }
  if (all * kNulShare < sample.size()) return {};
  if (name.ends_with("LE") || name.ends_with("BE")) return std::string(name);
  return std::string(name) + (first > last ? "BE" : "LE");
}

bool is_one_of(unsigned char c, unsigned char low, unsigned char high) { return c >= low && c <= high; }

// How many bytes the multibyte character at the front of text takes; 1 where it is no such character.
std::size_t character_size(std::string_view text, Family family) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : std::uint8_t{0};
  };
  const unsigned char lead = byte(0), trail = byte(1);
  switch (family) {
    case Family::none:
      return 1;
    case Family::gb18030:
      if (!is_one_of(lead, 0x81, 0xFE)) return 1;
      if (is_one_of(trail, 0x40, 0x7E) || is_one_of(trail, 0x80, 0xFE)) return 2;
      return is_one_of(trail, 0x30, 0x39) && is_one_of(byte(2), 0x81, 0xFE) && is_one_of(byte(3), 0x30, 0x39)
                 ? 4
                 : 1;
    case Family::big5:
      return is_one_of(lead, 0x81, 0xFE) && (is_one_of(trail, 0x31, 0x7E) || is_one_of(trail, 0x81, 0xFE)) &&
                     trail >= 0x40
                 ? 2
                 : 1;
    case Family::shift_jis:
      if (!is_one_of(lead, 0x81, 0x9F) && !is_one_of(lead, 0xE0, 0xFC)) return 1;
      return is_one_of(trail, 0x40, 0x7E) || is_one_of(trail, 0x80, 0xFC) ? 2 : 1;
    case Family::euc_kr:
      if (!is_one_of(lead, 0x81, 0xFE)) return 1;
      return is_one_of(trail, 0x41, 0x5A) || is_one_of(trail, 0x61, 0x7A) || is_one_of(trail, 0x81, 0xFE) ? 2
                                                                                                          : 1;
    case Family::euc_jp:
      return 1;  // no byte of a character is ASCII
  }
  return 1;
}

Family family_of(const Charset& charset) {
  for (const Entry& entry : kLabels)
    if (entry.kind == CharsetKind::multibyte && entry.encoding == charset.encoding) return entry.family;
  return Family::none;
}

// Owns a conversion.
class Converter {
 public:
  explicit Converter(const std::string& from) : handle_(iconv_open("UTF-8", from.c_str())) {}
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() {
    if (ok()) iconv_close(handle_);
  }
  bool ok() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  // Converts from the front of text, which moves on; false at a byte that is no character.
  bool run(std::string_view& text, std::string& out) {
    std::array<char, 16384> buffer;
    for (;;) {
      char* in = const_cast<char*>(text.data());
      std::size_t in_left = text.size();
      char* to = buffer.data();
      std::size_t to_left = buffer.size();
      const bool flushing = in_left == 0;
      const std::size_t result = iconv(handle_, flushing ? nullptr : &in, &in_left, &to, &to_left);
      const int error = errno;
      out.append(buffer.data(), buffer.size() - to_left);
      text.remove_prefix(text.size() - in_left);
      if (result != static_cast<std::size_t>(-1)) {
        if (flushing) return true;
      } else if (error != E2BIG) {
        return false;
      }
    }
  }

 private:
  iconv_t handle_;
};

std::size_t unit_of(std::string_view encoding) {
  if (encoding.starts_with("UTF-16")) return 2;
  return encoding.starts_with("UTF-32") ? 4 : 1;
}

bool is_utf8(std::string_view text) {
  Converter converter("UTF-8");
  std::string ignored;
  return converter.run(text, ignored);
}

// The eight-bit set that a seven-bit one is turned into before iconv sees it.
struct Detour {
  std::string_view encoding;
  Shifted shifted;
  std::string_view eight_bit;
};
constexpr Detour kDetours[] = {{"ISO-2022-JP", Shifted::iso_2022_jp, "EUC-JP-MS"},
                               {"ISO-2022-KR", Shifted::iso_2022_kr, "CP949"},
                               {"HZ", Shifted::hz, "GB18030"}};

// The name after "charset=" in the content of <meta http-equiv=content-type>, as a range of it (HTML
// standard, "extracting a character encoding from a meta element").
Range charset_in_content(std::string_view content) {
  constexpr std::string_view kWord = "charset";
  for (std::size_t at = 0; (at = ascii::ifind(content, kWord, at)) != std::string_view::npos;) {
    at += kWord.size();
    while (at < content.size() && ascii::is_space(content[at])) ++at;
    if (at == content.size() || content[at] != '=') continue;
    ++at;
    while (at < content.size() && ascii::is_space(content[at])) ++at;
    if (at == content.size()) break;
    const char quote = content[at] == '"' || content[at] == '\'' ? content[at] : '\0';
    if (quote != 0) ++at;
    std::size_t end = at;
    while (end < content.size() &&
           (quote != 0 ? content[end] != quote : !ascii::is_space(content[end]) && content[end] != ';'))
      ++end;
    return {at, end};
  }
  return {};
}

}  // namespace

CharsetKind charset_kind(std::string_view label) {
  label = clean(label);
  if (const Entry* entry = find_entry(label)) return entry->kind;
  return is_ebcdic(label) ? CharsetKind::foreign : CharsetKind::ascii_superset;
}

Charset charset_of(std::string_view text, std::string_view label) {
  for (const Mark& mark : kMarks)
    if (text.starts_with(mark.bytes)) return {mark.kind, std::string(mark.encoding)};
  label = clean(label);
  const Entry* entry = find_entry(label);
  if (entry == nullptr) {
    if (is_ebcdic(label)) {
      // EBCDIC markup has hardly a byte in the range of ASCII letters and its "<" is 0x4C.
      const bool ascii_markup = text.find("</") != std::string_view::npos;
      if (!ascii_markup) return {CharsetKind::foreign, std::string(label)};
    }
    return {CharsetKind::ascii_superset, std::string(label)};
  }
  const Charset declared{entry->kind, std::string(entry->encoding)};
  if (entry->kind != CharsetKind::foreign) return declared;
  const Charset plain{CharsetKind::ascii_superset, ""};
  if (unit_of(entry->encoding) > 1) {
    std::string encoding = wide_encoding(text, entry->encoding);
    return encoding.empty() ? plain : Charset{CharsetKind::foreign, std::move(encoding)};
  }
  // The others are ASCII until the first byte that shifts into something else.
  const std::string_view shift = entry->encoding == "HZ"      ? "~"
                                 : entry->encoding == "UTF-7" ? "+"
                                                              : "\x1B\x0E";
  return text.find_first_of(shift) == std::string_view::npos ? plain : declared;
}

std::string masked(std::string_view text, const Charset& charset) {
  std::string out(text);
  const Family family = charset.kind == CharsetKind::multibyte ? family_of(charset) : Family::none;
  if (family == Family::none || family == Family::euc_jp) return out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size =
        static_cast<unsigned char>(text[at]) < 0x80 ? 1 : character_size(text.substr(at), family);
    if (size > 1) std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), size, kMask);
    at += size;
  }
  return out;
}

void rebase(Scan& scan, std::string_view masked, std::string_view original) {
  for (Reference& reference : scan.references)
    reference.raw =
        original.substr(static_cast<std::size_t>(reference.raw.data() - masked.data()), reference.raw.size());
}

Result<std::string> to_utf8(std::string_view text, const Charset& charset, OnInvalid on_invalid) {
  std::string encoding = charset.encoding;
  if (encoding.empty()) encoding = is_utf8(text) ? "UTF-8" : "WINDOWS-1252";
  for (const Detour& detour : kDetours) {
    if (encoding != detour.encoding) continue;
    const Result<std::string> eight_bit = unshift(text, detour.shifted);
    if (!eight_bit) return eight_bit.error();
    return to_utf8(*eight_bit, {CharsetKind::multibyte, std::string(detour.eight_bit)}, on_invalid);
  }
  // Most attributes of most mail; a converter for each costs more than all else about them.
  if (charset.kind != CharsetKind::foreign && is_ascii(text)) return std::string(text);
  Converter converter(encoding);
  if (!converter.ok()) return Error{"charset " + encoding + " cannot be converted"};
  for (const Mark& mark : kMarks)
    if (encoding == mark.encoding && text.starts_with(mark.bytes)) text.remove_prefix(mark.bytes.size());
  std::string out;
  out.reserve(text.size());
  const std::size_t size = text.size();
  while (!converter.run(text, out)) {
    if (on_invalid == OnInvalid::fail)
      return Error{"byte " + std::to_string(size - text.size()) + " of the text is not " + encoding};
    out += kReplacement;
    text.remove_prefix(std::min(unit_of(encoding), text.size()));
  }
  return out;
}

std::vector<Range> meta_charsets(std::string_view html) {
  std::vector<Range> out;
  Tokenizer tokenizer(html);
  for (Token token; tokenizer.next(token);) {
    if (token.kind != TokenKind::start_tag || token.tag != Tag::meta || token.foreign) continue;
    const auto offset = [&](std::string_view value) {
      return static_cast<std::size_t>(value.data() - html.data());
    };
    if (const Attribute* charset = token.find("charset"); charset != nullptr && !charset->value.empty()) {
      out.push_back({offset(charset->value), offset(charset->value) + charset->value.size()});
      continue;
    }
    const Attribute* equivalent = token.find("http-equiv");
    const Attribute* content = token.find("content");
    if (equivalent == nullptr || content == nullptr ||
        !ascii::iequals(ascii::trim(equivalent->value), "content-type"))
      continue;
    const Range name = charset_in_content(content->value);
    if (name.size() > 0)
      out.push_back({offset(content->value) + name.begin, offset(content->value) + name.end});
  }
  return out;
}

std::string with_utf8_meta(std::string_view html) {
  std::string out;
  std::size_t at = 0;
  for (const Range& range : meta_charsets(html)) {
    out += html.substr(at, range.begin - at);
    out += "utf-8";
    at = range.end;
  }
  out += html.substr(at);
  return out;
}

}  // namespace pixmilter::html
