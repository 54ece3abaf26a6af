// Character sets of HTML parts: which can be scanned as bytes, and what to do with those that cannot.
//
// Markup is ASCII, so a text in any superset of ASCII is scanned and edited as it stands and keeps its
// charset. Two sorts need more: multibyte sets in whose characters an ASCII byte may be the second half
// (a backslash in Shift_JIS) are scanned through a masked copy of the same length, and sets that are no
// superset at all (UTF-16, ISO-2022-JP) are converted to UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "html/reference.h"

namespace pixmilter::html {

enum class CharsetKind : std::uint8_t {
  ascii_superset,  // single-byte sets, and whatever we do not know
  utf8,            //
  multibyte,       // GB18030, Big5, Shift_JIS, EUC and their kin
  foreign,         // UTF-16, UTF-32, UTF-7, ISO-2022-*, HZ, EBCDIC: to be converted
};

// What a label says (the names of the WHATWG Encoding standard and of IANA, in any case).
CharsetKind charset_kind(std::string_view label);

// What the text is: as its label says, unless the bytes speak against it (a byte order mark of another
// set; "UTF-16" without a single NUL; "ISO-2022-JP" without an escape). Then it is what the bytes say, or
// ascii_superset. encoding is the name to convert from, empty for ascii_superset of unknown name.
struct Charset {
  CharsetKind kind = CharsetKind::ascii_superset;
  std::string encoding;  // as iconv(3) knows it
};
Charset charset_of(std::string_view text, std::string_view label);

// A copy of the same length in which every byte of a multibyte character is 0x80 or above. For kinds other
// than multibyte a plain copy.
std::string masked(std::string_view text, const Charset& charset);

// After a scan of the masked copy: makes its views point into the original, which has the same length.
void rebase(Scan& scan, std::string_view masked, std::string_view original);

enum class OnInvalid { fail, replace };

// The text in UTF-8 without a byte order mark. Errors: an encoding that iconv does not know; a byte that is
// no character where OnInvalid is fail, else it becomes U+FFFD.
Result<std::string> to_utf8(std::string_view text, const Charset& charset, OnInvalid on_invalid);

// The ranges of the charset names in <meta charset> and <meta http-equiv=content-type> of an HTML text,
// ascending: what has to say "utf-8" after a conversion.
std::vector<Range> meta_charsets(std::string_view html);

// A text that was converted to UTF-8, with its <meta> elements saying so.
std::string with_utf8_meta(std::string_view html);

}  // namespace pixmilter::html
