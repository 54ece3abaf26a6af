// Which texts are scanned as they stand, which through a mask, and which are converted; with samples in
// each set made by Python's codecs.
#include "html/charset.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pixmilter::html {
namespace {

std::string utf8(std::string_view text, std::string_view label) {
  const Result<std::string> out = to_utf8(text, charset_of(text, label), OnInvalid::fail);
  return out ? *out : "error: " + out.error().text;
}

std::string wide(std::string_view ascii_text, int unit, bool big) {
  std::string out;
  for (const char c : ascii_text) {
    const std::string zeros(static_cast<std::size_t>(unit) - 1, '\0');
    out += big ? zeros + c : c + zeros;
  }
  return out;
}

TEST(Charset, KindsOfLabels) {
  for (const std::string_view label : {"utf-8", " UTF8 ", "\"utf-8\"", "utf-8 (Unicode)", "\"utf-8\" (x)"})
    EXPECT_EQ(charset_kind(label), CharsetKind::utf8);
  for (const std::string_view label :
       {"gb18030", "GB2312", "Shift_JIS", "euc-jp", "EUC-KR", "Big5", "ks_c_5601-1987"})
    EXPECT_EQ(charset_kind(label), CharsetKind::multibyte) << label;
  for (const std::string_view label : {"utf-16", "UTF-16LE", "utf-32", "utf-7", "iso-2022-jp", "ISO-2022-KR",
                                       "iso-2022-jp (JIS)", "hz-gb-2312", "ibm037", "cp500"})
    EXPECT_EQ(charset_kind(label), CharsetKind::foreign) << label;
  for (const std::string_view label : {"", "us-ascii", "iso-8859-15", "windows-1251", "koi8-r", "x-unknown",
                                       "cp437", "ibm850", "us-ascii (Plain text)", "(utf-16)"})
    EXPECT_EQ(charset_kind(label), CharsetKind::ascii_superset) << label;
}

TEST(Charset, TheBytesHaveTheLastWord) {
  EXPECT_EQ(charset_of("<p>plain</p>", "utf-16").kind, CharsetKind::ascii_superset);
  EXPECT_EQ(charset_of("<p>plain</p>", "iso-2022-jp").kind, CharsetKind::ascii_superset);
  EXPECT_EQ(charset_of("<p>plain</p>", "ibm037").kind, CharsetKind::ascii_superset);
  EXPECT_EQ(charset_of(wide("<p>plain</p>", 2, true), "utf-16").encoding, "UTF-16BE");
  EXPECT_EQ(charset_of(wide("<p>plain</p>", 2, false), "utf-16").encoding, "UTF-16LE");
  EXPECT_EQ(charset_of(wide("<p>plain</p>", 4, true), "utf-32").encoding, "UTF-32BE");
  EXPECT_EQ(charset_of("\xFF\xFE" + wide("<p>", 2, false), "utf-8").encoding, "UTF-16LE");
  EXPECT_EQ(charset_of("\xEF\xBB\xBF<p>", "iso-8859-1").kind, CharsetKind::utf8);
}

TEST(Charset, Conversions) {
  EXPECT_EQ(utf8("\xFF\xFE" + wide("<p>x", 2, false) + "\xE9" + std::string(1, '\0'), "utf-16"),
            "<p>x\xC3\xA9");
  EXPECT_EQ(utf8(wide("<p>x</p>", 2, true), "utf-16"), "<p>x</p>");
  EXPECT_EQ(utf8(wide("<p>x</p>", 4, false), "utf-32"), "<p>x</p>");
  EXPECT_EQ(utf8("<p>\x1B$BF|K\\\x1B(B</p>", "iso-2022-jp"), "<p>\xE6\x97\xA5\xE6\x9C\xAC</p>");
  EXPECT_EQ(utf8("\x1B$B-!\x1B(B\x1B(I1\x1B(B", "iso-2022-jp"), "\xE2\x91\xA0\xEF\xBD\xB1");
  EXPECT_EQ(utf8("\x1B$)C<p>\x0E\x47\x51\x0F</p>", "iso-2022-kr"), "<p>\xED\x95\x9C</p>");
  EXPECT_EQ(utf8("<p>~{VP~}~~</p>", "hz-gb-2312"), "<p>\xE4\xB8\xAD~</p>");
  EXPECT_EQ(utf8("Hi +2D3eAA-!", "utf-7"), "Hi \xF0\x9F\x98\x80!");
  EXPECT_EQ(utf8("caf\xE9", "iso-8859-1"), "caf\xC3\xA9");
  EXPECT_EQ(utf8("\xCB", "koi8-r"), "\xD0\xBA");
  EXPECT_EQ(utf8("\x83\x5C", "shift_jis"), "\xE3\x82\xBD");
  EXPECT_EQ(utf8("caf\xE9", "utf-16"), "caf\xC3\xA9");
  EXPECT_EQ(utf8("caf\xC3\xA9", "utf-16"), "caf\xC3\xA9");
}

TEST(Charset, InvalidBytesFailOrAreReplaced) {
  const std::string text =
      "a\xFF"
      "b";
  const Charset charset = charset_of(text, "utf-8");
  EXPECT_FALSE(to_utf8(text, charset, OnInvalid::fail));
  EXPECT_EQ(*to_utf8(text, charset, OnInvalid::replace),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_FALSE(to_utf8("\x1B$ZF|", charset_of("\x1B$ZF|", "iso-2022-jp"), OnInvalid::fail));
  // ASCII alone is the same in each superset of it, known or not.
  EXPECT_FALSE(to_utf8("x\xE4", {CharsetKind::ascii_superset, "x-no-such-set"}, OnInvalid::fail));
  EXPECT_EQ(*to_utf8("x", {CharsetKind::ascii_superset, "x-no-such-set"}, OnInvalid::fail), "x");
}

TEST(Charset, MasksHideAsciiHalvesOnly) {
  // Katakana SO is 83 5C in Shift_JIS: a backslash for whoever looks at bytes.
  const std::string_view text = "<p title=\"\x83\x5C\">\x95\x5C<img src='x'>";
  const std::string mask = masked(text, charset_of(text, "shift_jis"));
  EXPECT_EQ(mask, "<p title=\"\x80\x80\">\x80\x80<img src='x'>");
  EXPECT_EQ(masked("\x81\x30\x81\x30<", charset_of("", "gb18030")), "\x80\x80\x80\x80<");
  EXPECT_EQ(masked("\xA5\x5C\xA5<a>", charset_of("", "big5")), "\x80\x80\xA5<a>");
  EXPECT_EQ(masked("\xB1\x5C<\xB1\x41", charset_of("", "euc-kr")), "\xB1\x5C<\x80\x80");
  EXPECT_EQ(masked("\x83\x5C", charset_of("", "utf-8")), "\x83\x5C");

  Scan found = scan(mask);
  ASSERT_EQ(found.references.size(), 1U);
  rebase(found, mask, text);
  EXPECT_EQ(found.references[0].raw, "x");
  EXPECT_EQ(found.references[0].raw.data(), text.data() + found.references[0].range.begin);
}

TEST(Charset, StyleInShiftJis) {
  const std::string text = "<style>a{font-family:'\x83\x5C';background:url(data:x)}</style>";
  const std::string mask = masked(text, charset_of(text, "shift_jis"));
  EXPECT_EQ(scan(mask).references.size(), 1U);
  EXPECT_EQ(scan(text).references.size(), 0U);
}

TEST(Charset, MetaIsCorrected) {
  EXPECT_EQ(with_utf8_meta("<META CharSet=utf-16><p>"), "<META CharSet=utf-8><p>");
  EXPECT_EQ(with_utf8_meta("<meta http-equiv=\"Content-Type\" content=\"text/html; charset=iso-2022-jp\">"),
            "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">");
  EXPECT_EQ(with_utf8_meta("<meta content='text/html;charset=\"x\"' http-equiv=content-type>"),
            "<meta content='text/html;charset=\"utf-8\"' http-equiv=content-type>");
  const std::string_view other = "<meta name=x content='charset=y'><title><meta charset=z></title>";
  EXPECT_EQ(with_utf8_meta(other), other);
}

}  // namespace
}  // namespace pixmilter::html
