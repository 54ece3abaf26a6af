// A differential fuzz test: random HTML, read by our tokenizer and by Gumbo. The texts are put together from
// words of the language, so that tags, quotes, references and elements that hold text meet in every order.
#include <gtest/gtest.h>

#ifdef PIXMILTER_HAVE_GUMBO

#include <cstdio>
#include <random>
#include <string>
#include <string_view>

#include "../../lib/gumbo_compare.h"

namespace pixmilter::html {
namespace {

constexpr int kTexts = 20'000;
constexpr int kMaxWords = 40;

constexpr std::string_view kWords[] = {"<",
                                       ">",
                                       "/",
                                       "=",
                                       "\"",
                                       "'",
                                       " ",
                                       "\n",
                                       "&",
                                       ";",
                                       "a",
                                       "b",
                                       "x",
                                       "--",
                                       "!",
                                       "-->",
                                       "<!--",
                                       "--!>",
                                       "<!",
                                       "<?",
                                       "</",
                                       "/>",
                                       "<p ",
                                       "<img src=",
                                       "<img src=\"",
                                       "<div class='",
                                       "<td background=x",
                                       "<a href=\"x\">",
                                       "</a>",

                                       "</div>",
                                       "<table>",
                                       "</table>",
                                       "<tr>",
                                       "<b>",
                                       "</b>",
                                       "<input type=image ",
                                       "<br/>",
                                       "<script>",
                                       "</script>",
                                       "<script",
                                       "</script ",
                                       "<style>",
                                       "</style>",
                                       "<title>",
                                       "</title>",
                                       "<textarea>",
                                       "</textarea>",
                                       "<svg>",
                                       "</svg>",
                                       "<svg ",
                                       "<path d=x />",
                                       "<math>",
                                       "</math>",
                                       "<mi>",
                                       "<foreignObject>",
                                       "</foreignObject>",
                                       "<desc>",
                                       "<![CDATA[",
                                       "]]>",
                                       "data:image/png;base64,AAAA",
                                       "style=\"color:red\" ",
                                       "id=a ",
                                       "ID='b' ",
                                       "x=y ",
                                       "&amp;",
                                       "&lt",
                                       "&quot;",
                                       "&notit;",
                                       "&#60;",
                                       "&#x3c",
                                       "&copy=",
                                       "&ampx",
                                       "&#128;",
                                       "&#xD800;",
                                       "<xmp>",
                                       "</xmp>",
                                       "<iframe>",
                                       "</iframe>",
                                       "<noframes>",
                                       "</noframes>",
                                       "<font color=red>",
                                       "<h1>",
                                       "</h1>",
                                       "<li>",
                                       "<!doctype html>",
                                       "<form>"};

TEST(Gumbo, AttributesAreTheSame) {
  std::mt19937 random(20240229);
  std::size_t elements = 0;
  for (int i = 0; i < kTexts; ++i) {
    std::string text;
    for (int words = static_cast<int>(random() % kMaxWords); words >= 0; --words)
      text += kWords[random() % std::size(kWords)];
    const tests::GumboComparison comparison(text);
    elements += comparison.elements();
    ASSERT_EQ(comparison.difference(), "") << "text " << i << ": " << text;
  }
  std::printf("compared with Gumbo: %zu elements of %d texts\n", elements, kTexts);
}

}  // namespace
}  // namespace pixmilter::html

#else

TEST(Gumbo, AttributesAreTheSame) { GTEST_SKIP() << "built without libgumbo-dev"; }

#endif
