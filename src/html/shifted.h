// Seven-bit charsets that shift between ASCII and two-byte characters (ISO-2022-JP, ISO-2022-KR, HZ),
// turned into the eight-bit set of the same characters.
//
// iconv knows them only by the letter of their standards or not at all; what mail programs write under
// these names has the characters of their vendors' eight-bit sets.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pixmilter::html {

enum class Shifted { iso_2022_jp, iso_2022_kr, hz };

// ISO-2022-JP (RFC 1468, with the escapes of ISO-2022-JP-2 for JIS X 0212 and half-width katakana) becomes
// EUC-JP, ISO-2022-KR (RFC 1557) EUC-KR, HZ (RFC 1843) GB 2312. Error: an escape that is none of theirs.
Result<std::string> unshift(std::string_view text, Shifted charset);

}  // namespace pixmilter::html
