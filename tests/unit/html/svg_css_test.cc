#include "html/svg_css.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "html/css.h"
#include "html/css_lexer.h"

namespace pixmilter::html {
namespace {

// The URLs that a renderer would read in these stylesheets, one after the other in one <style>.
std::vector<std::string> urls(std::initializer_list<std::string_view> sheets) {
  std::string sealed;
  std::vector<std::string> ids, found;
  for (const std::string_view sheet : sheets) append_sealed_stylesheet(sheet, sealed, ids);
  css::CssLexer lexer(sealed);
  for (css::CssToken token; lexer.next(token);) {
    if (token.kind != css::Kind::url) continue;
    css::unescape(std::string_view(sealed).substr(token.content.begin, token.content.size()),
                  found.emplace_back());
  }
  return found;
}

TEST(SealedStylesheet, WhatIsLeftOutJoinsNothing) {
  EXPECT_TRUE(urls({"a{b:u/**/rl(http://x/)}"}).empty());
  // White space after an escape is part of it.
  EXPECT_TRUE(urls({"a{b:u\\72/**/l(http://x/)}"}).empty());
  EXPECT_TRUE(urls({"u\\72}l(http://x/)"}).empty());
  EXPECT_TRUE(urls({"u\\72@import x;l(http://x/)"}).empty());
}

TEST(SealedStylesheet, WhatItsEndCutsOffDoesNotGoOnInTheNext) {
  const std::string_view next = "a{b:\"url(http://x/)\"}";
  for (const std::string_view cut : {"a{b:\"c\\", "a{b:\"c", "a{b:'", "a{b:url('c", "a{b:url(c\\)",
                                     "a{b:url(c", "a{b:url(\"c\"  ", "a{/* c", "a{\\"})
    EXPECT_TRUE(urls({cut, next}).empty()) << cut;
  EXPECT_TRUE(urls({"u\\72", "l(http://x/)"}).empty());
}

TEST(SealedStylesheet, KeepsWhatPointsInward) {
  EXPECT_EQ(urls({"a{fill:url(#g)} b{c:url('data:,x')} d{e:url(x.png)}"}),
            (std::vector<std::string>{"#g", "data:,x"}));
}

}  // namespace
}  // namespace pixmilter::html
