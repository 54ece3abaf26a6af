// The CSS scanner alone: which URLs of a style sheet are images, and where they stand.
#include "html/css.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::html::css {
namespace {

using Strings = std::vector<std::string>;

Strings ranges(std::string_view css) {
  std::vector<Image> images;
  find_images(css, images);
  Strings out;
  for (const Image& image : images) out.emplace_back(css.substr(image.range.begin, image.range.size()));
  return out;
}

Strings urls(std::string_view css) {
  std::vector<Image> images;
  find_images(css, images);
  Strings out;
  for (const Image& image : images)
    unescape(css.substr(image.url.begin, image.url.size()), out.emplace_back());
  return out;
}

TEST(Css, UrlsInEveryForm) {
  EXPECT_EQ(ranges("a{background:url(x.png)}"), Strings{"url(x.png)"});
  EXPECT_EQ(ranges("a{background:URL( 'x y' ) no-repeat}"), Strings{"URL( 'x y' )"});
  EXPECT_EQ(ranges("a{background:u\\72l(\"x\" /* c */ )}"), Strings{"u\\72l(\"x\" /* c */ )"});
  EXPECT_EQ(urls("background: url(  data:a;b,c  )"), Strings{"data:a;b,c"});
  EXPECT_EQ(urls("background: url(a\\29 b)"), Strings{"a)b"});
  EXPECT_EQ(urls("background: url(\"a\\\nb\\\r\nc\")"), Strings{"abc"});
  EXPECT_EQ(urls("background:url(a),url('b')"), (Strings{"a", "b"}));
  EXPECT_EQ(urls("x:url(\"a)b;}\");y:url(c)"), (Strings{"a)b;}", "c"}));
  EXPECT_EQ(urls("background:url(" + std::string(1000, 'A') + ")"), Strings{std::string(1000, 'A')});
}

TEST(Css, TheEndOfTheTextClosesWhatIsOpen) {
  EXPECT_EQ(urls("a{background:url(x"), Strings{"x"});
  EXPECT_EQ(urls("a{background:url(x  "), Strings{"x"});
  EXPECT_EQ(urls("a{background:url('x"), Strings{"x"});
  EXPECT_EQ(urls("a{background:url('x' "), Strings{"x"});
  EXPECT_EQ(urls("a{background:url('x\\"), Strings{"x"});
}

TEST(Css, WhatIsNoUrl) {
  EXPECT_EQ(urls("a{background:url(x y)} b{background:url(z)}"), Strings{"z"});
  EXPECT_EQ(urls("a{background:url(x\"y)} b{background:url(z)}"), Strings{"z"});
  EXPECT_EQ(urls("a{background:url(x'\\)y)} b{background:url(z)}"), Strings{"z"});
  EXPECT_EQ(urls("a{background:url('x\n');b:url(z)}"), Strings{});
  EXPECT_EQ(urls("a{content:'url(x)'} /* url(x) */ b{c:url(z)}"), Strings{"z"});
  EXPECT_EQ(urls("a{b:xurl(x);c:url (x);d:1url(x);e:#url(x);f:my-url(x)}"), Strings{});
  EXPECT_EQ(urls("a{b:url();c:url('');d:url( )}"), Strings{});
  EXPECT_EQ(urls("a{b:url('x' y)}"), Strings{});
}

TEST(Css, ImageSet) {
  EXPECT_EQ(ranges("a{b:image-set('x' 1x, url(y) 2x, \"z\" type('image/png'))}"),
            (Strings{"'x'", "url(y)", "\"z\""}));
  EXPECT_EQ(ranges("a{b:-WebKit-Image-Set(url('x') 1x);c:'s'}"), Strings{"url('x')"});
  EXPECT_EQ(ranges("a{b:image-set(calc(1px) 'x')"), Strings{"'x'"});
  EXPECT_EQ(ranges("a{b:image-set('x'} c{d:'y'}"), Strings{"'x'"});
}

TEST(Css, ImportsAndFontsAreLeftAlone) {
  EXPECT_EQ(urls("@import url(x); @import 'y'; @namespace url(z); a{b:url(c)}"), Strings{"c"});
  EXPECT_EQ(urls("@font-face{font-family:x;src:url(a),url(b)} a{b:url(c)}"), Strings{"c"});
  EXPECT_EQ(urls("@FONT-\\46 ace /**/ {src:url(a)} a{b:url(c)}"), Strings{"c"});
  EXPECT_EQ(urls("@media screen{@font-face{src:url(a)} a{b:url(c)}} d{e:url(f)}"), (Strings{"c", "f"}));
  EXPECT_EQ(urls("@font-face;a{b:url(c)}"), Strings{"c"});
}

TEST(Css, PropertiesThatNameSomethingElse) {
  EXPECT_EQ(urls("v\\:*{behavior:url(#default#VML)} a{*behavior:url(x.htc);filter:url(f.svg);b:url(c)}"),
            Strings{"c"});
  EXPECT_EQ(urls("background:url(a);behavior:url(b);list-style:url(c)"), (Strings{"a", "c"}));
  EXPECT_EQ(urls("a{mask:url(#m);b:url(c)}"), Strings{"c"});
}

TEST(Css, Declarations) {
  std::vector<Declaration> out;
  read_declarations("width : 10px ! IMPORTANT; /* c;d:e */ height:20px /**/;;bad;x:url(a;b) c; y:(;) ;z:",
                    out);
  ASSERT_EQ(out.size(), 5U);
  EXPECT_EQ(out[0].property, "width");
  EXPECT_EQ(out[0].value, "10px");
  EXPECT_TRUE(out[0].important);
  EXPECT_EQ(out[1].value, "20px");
  EXPECT_EQ(out[2].value, "url(a;b) c");
  EXPECT_EQ(out[3].value, "(;)");
  EXPECT_EQ(out[4].value, "");
}

// A quote that is not closed is looked for once, not as a url() and then as a string.
TEST(Css, OpenQuotesOfBothKindsCostTheirSizeOnce) {
  const std::string css = "x:url(\"\n;y:url('\n;" + std::string(10'000, 'a');
  std::vector<Image> images;
  EXPECT_LE(find_images(css, images), 4 * css.size());
  EXPECT_TRUE(images.empty());
}

TEST(Css, Unescape) {
  std::string out;
  unescape("a\\62 c\\000064 e\\\r\nf\\", out);
  EXPECT_EQ(out, "abcdef");
  out.clear();
  unescape("\\0 \\110000 \\D800 \\20AC", out);
  EXPECT_EQ(out, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xE2\x82\xAC");
}

}  // namespace
}  // namespace pixmilter::html::css
