#include "html/scan_ahead.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/ascii.h"
#include "html/reference.h"

namespace pixmilter::html {
namespace {

bool holds(std::string_view text, Wanted wanted = {}) { return may_hold_references(text, wanted); }

TEST(ScanAhead, EverySpellingIsSeen) {
  for (const char* text :
       {"<img src=data:x>", "<img src='DATA:x'>", "<img src='&#100;ata:x'>", "<img src='d&#x41;ta:x'>",
        "<img src='data&colon;x'>", "<img src='data&#58;x'>", "<img src='da&Tab;ta:x'>",
        "<img src='da\n\tta:x'>", "<img src='dat&#0000097:x'>", "<p style='a:url(\\64 ata:x)'>",
        "<p style='a:url(d\\ata:x)'>", "<p style='a:url(data\\:x)'>", "<p style='a:url(dat&#92;61:x)'>",
        "<svg>", "a<SVG width=1>", "<img data-PixMilter=skip>", "<img moz-do-not-send=true>"})
    EXPECT_TRUE(holds(text)) << text;
}

TEST(ScanAhead, OrdinaryHtmlIsPassedOver) {
  for (const char* text :
       {"", ":", "&", "\\", "&#", "a:", "ata:", "<a href='https://example.org/?a=b&amp;c=d'>", "dat:a",
        "&nbsp;&copy;&#8217;&#xa0;&#39;&lt;", "v\\:* {behavior:url(#default#VML)}", "svg", "< svg",
        "<img src='cid:a'>", "<img src='asset:a'>", "updated 12:30", "-moz-box"})
    EXPECT_FALSE(holds(text)) << text;
  EXPECT_TRUE(holds("<img src='cid:a'>", {false, false, true}));
  EXPECT_TRUE(holds("<img src='asset:a'>", {false, true, false}));
  EXPECT_TRUE(holds("<img src='file:///a'>", {false, true, false}));
  EXPECT_TRUE(holds("<img src='https://a'>", {true, false, false}));
  EXPECT_FALSE(holds("<img src='https://a'>", {false, true, true}));
}

// Pieces of HTML and CSS put together at random: where nothing is seen, the scanner finds no such URL.
TEST(ScanAhead, SeesNothingOnlyWhereTheScannerFindsNothing) {
  static constexpr std::string_view kPieces[] = {"<img src=",
                                                 "<img srcset='",
                                                 "<td background=\"",
                                                 "<p style='a:url(",
                                                 "<style>a{b:url(",
                                                 "</style>",
                                                 "'",
                                                 "\"",
                                                 ")",
                                                 ">",
                                                 " ",
                                                 "\n",
                                                 "\t",
                                                 "d",
                                                 "at",
                                                 "a",
                                                 "ta",
                                                 "dat",
                                                 "data",
                                                 ":",
                                                 ",x",
                                                 "\\",
                                                 "\\64 ",
                                                 "\\a",
                                                 "\\:",
                                                 "\\\n",
                                                 "&#100;",
                                                 "&#x3a",
                                                 "&colon;",
                                                 "&Tab;",
                                                 "&NewLine;",
                                                 "&#9;",
                                                 "&amp;",
                                                 "&",
                                                 "#",
                                                 ";",
                                                 "<svg>",
                                                 "</svg>",
                                                 "<!--[if mso]>",
                                                 "<![endif]-->",
                                                 "asset",
                                                 "http",
                                                 "s",
                                                 "//h/",
                                                 "cid",
                                                 "&#97",
                                                 "&#0;",
                                                 "<v:fill src="};
  std::mt19937 random(1);
  int quiet = 0, seen = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (std::size_t i = 2 + random() % 10; i > 0; --i) text += kPieces[random() % std::size(kPieces)];
    if (holds(text)) {
      ++seen;
      continue;
    }
    ++quiet;
    const Scan found = scan(text);
    for (const Reference& reference : found.references) {
      std::string scratch;
      ASSERT_NE(reference.place, Place::inline_svg) << text;
      ASSERT_FALSE(ascii::istarts_with(url(reference, scratch), "data:")) << text;
    }
    ASSERT_TRUE(found.removals.empty()) << text;
  }
  EXPECT_GT(quiet, 10'000);
  EXPECT_GT(seen, 10'000);
}

}  // namespace
}  // namespace pixmilter::html
