// From inline <svg> to a document that stands alone and the <img> in its place.
#include "html/inline_svg.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "../../lib/xml_check.h"
#include "html/svg_xml.h"

namespace pixmilter::html {
namespace {

std::vector<Reference> svgs(std::string_view html) {
  std::vector<Reference> out;
  for (const Reference& reference : scan(html).references)
    if (reference.place == Place::inline_svg) out.push_back(reference);
  return out;
}

// The document of the last inline svg.
InlineSvg picture(std::string_view html) {
  const InlineSvgs reader(html);
  const std::vector<Reference> found = svgs(html);
  EXPECT_FALSE(found.empty()) << html;
  if (found.empty()) return {};
  Result<InlineSvg> out = reader.read(found.back());
  EXPECT_TRUE(out.ok()) << (out.ok() ? "" : out.error().text);
  if (!out) return {};
  EXPECT_EQ(tests::xml_error(out->document), "") << out->document;
  return *out;
}

std::string img(std::string_view html) { return img_element(svgs(html).back(), "cid:1@x", picture(html)); }

bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

TEST(InlineSvg, HtmlBecomesWellFormedXml) {
  const std::string document =
      picture(
          "<SVG viewbox='0 0 10 10' WIDTH=10 width=20 onload=x() foo:bar=1 xmlns:x=y a'b=c><LINEARGRADIENT "
          "ID=a "
          "gradientunits=userSpaceOnUse><stop offset=0></linearGradient><path d=M0,0 fill=url(#a) />"
          "<text>a&nbsp;&lt;b&copy &amp c &bogus; <![CDATA[<d>]]>\x01</text><g><rect></svg>")
          .document;
  EXPECT_TRUE(has(document, "viewBox=\"0 0 10 10\"")) << document;
  EXPECT_TRUE(has(document,
                  "<linearGradient id=\"a\" gradientUnits=\"userSpaceOnUse\"><stop "
                  "offset=\"0\"></stop></linearGradient>"))
      << document;
  EXPECT_TRUE(has(document, "<path d=\"M0,0\" fill=\"url(#a)\"/>")) << document;
  EXPECT_TRUE(
      has(document, "a\xC2\xA0&lt;b\xC2\xA9 &amp; c &amp;bogus; &lt;d&gt;</text><g><rect></rect></g></svg>"))
      << document;
  EXPECT_FALSE(has(document, "onload"));
  EXPECT_FALSE(has(document, "foo"));
}

TEST(InlineSvg, NothingRefersOutward) {
  const std::string document =
      picture(
          "<style>@import "
          "'http://evil/1';@font-face{src:url(http://evil/2)}path{fill:url(http://evil/3)}</style>"
          "<svg xml:base='http://evil/4' style='fill:url(file:///etc/evil5)'><image "
          "href='file:///evil6'/><image xlink:href=http://evil/7 />"
          "<use href='http://evil/8#a'/><path fill=\"url('http://evil/9#a')\" style='stroke:u\\72l(evil10)' "
          "filter=url(evil11.svg#f) />"
          "<script>evil12</script><foreignObject><p>evil13</p></foreignObject><style>@import "
          "url(evil14);</style><a href=http://evil/15><path/></a>"
          "<image href=' data:image/png;base64,AAAA'/><path clip-path='url(#c)'/><?xml-stylesheet "
          "href=evil16?><!-- evil17 -->"
          "<metadata><rdf:x>evil18</rdf:x></metadata><x:y>evil19</x:y></svg>")
          .document;
  EXPECT_FALSE(has(document, "evil")) << document;
  EXPECT_TRUE(has(document, "data:image/png;base64,AAAA")) << document;
  EXPECT_TRUE(has(document, "clip-path=\"url(#c)\"")) << document;
}

TEST(InlineSvg, StyleSheetsAndSurroundingsComeAlong) {
  const std::string document =
      picture(
          "<style type=text/css><!-- td.card > svg .dot{fill:red} @media screen{.a{b:c}} @media "
          "print{.p{q:r}} "
          "@media only screen and (max-width:1px){.m{n:o}} --></style>"
          "<svg><style>.own{fill:&quot;x&quot;}</style><path/></svg>"
          "<table><tr><td class='card x' id=cell style='color:red;width:5px;font-family:\"A&amp;B\"'><br>"
          "<svg><path class=dot /></svg></table>")
          .document;
  EXPECT_TRUE(has(document, ".pixmilter-td.card &gt; svg .dot{fill:red}")) << document;
  EXPECT_TRUE(has(document, ".a{b:c}")) << document;
  EXPECT_FALSE(has(document, "q:r")) << document;
  EXPECT_FALSE(has(document, "n:o")) << document;
  EXPECT_TRUE(has(document, ".own{fill:\"x\"}")) << document;
  EXPECT_TRUE(
      has(document,
          "<g class=\"card x pixmilter-td\" id=\"cell\" style=\"color:red;font-family:&quot;A&amp;B&quot;;"))
      << document;
  EXPECT_FALSE(has(document, "pixmilter-table")) << document;
}

TEST(InlineSvg, SymbolsOfOtherPictures) {
  const std::string html =
      "<svg style=display:none><symbol id=a viewBox='0 0 1 1'><path fill=url(#grad) /><use "
      "href='#b'/></symbol><g id=b><use href=#a /></g>"
      "<linearGradient id=grad></linearGradient><path id=unused /></svg><svg><use xlink:href='#a'/></svg>";
  const std::string document = picture(html).document;
  EXPECT_TRUE(has(document, "<symbol id=\"a\" viewBox=\"0 0 1 1\">")) << document;
  EXPECT_TRUE(has(document, "<g id=\"b\">")) << document;
  EXPECT_TRUE(has(document, "<linearGradient id=\"grad\">")) << document;
  EXPECT_FALSE(has(document, "unused")) << document;
  EXPECT_EQ(svgs(html).size(), 1U);
}

TEST(InlineSvg, DisplayedSize) {
  const auto size = [](const std::string& attributes, const std::string& before = "") {
    const InlineSvg svg = picture(before + "<svg " + attributes + "><path/></svg>");
    return std::pair(svg.width, svg.height);
  };
  EXPECT_EQ(size(""), std::pair(300.0, 150.0));
  EXPECT_EQ(size("viewBox='0 0 24 12'"), std::pair(24.0, 12.0));
  EXPECT_EQ(size("viewBox='0,0,24,12' width=48"), std::pair(48.0, 24.0));
  EXPECT_EQ(size("viewBox='0 0 24 12' height='2em'"), std::pair(64.0, 32.0));
  EXPECT_EQ(size("width=1in height=72pt"), std::pair(96.0, 96.0));
  EXPECT_EQ(size("width=10 height=20 style='width:30px'"), std::pair(30.0, 20.0));
  EXPECT_EQ(size("width=100% viewBox='0 0 40 10'"), std::pair(40.0, 10.0));
  EXPECT_EQ(size("style='width:100%;max-width:600px' viewBox='0 0 40 10'"), std::pair(600.0, 150.0));
  EXPECT_EQ(size("style='max-width:20px' viewBox='0 0 40 10'"), std::pair(20.0, 5.0));
  EXPECT_EQ(size("viewBox='0 0 x'"), std::pair(300.0, 150.0));
  EXPECT_EQ(
      size("class='icon' width=1 height=1", "<style>.icon{width:5px}svg.icon{width:7px;height:8px}</style>"),
      std::pair(7.0, 8.0));
  EXPECT_EQ(
      size("class='icon'", "<style>div > .icon{width:5px}p svg{height:9px}#x{width:1px}</style><div><p>"),
      std::pair(300.0, 9.0));
}

TEST(InlineSvg, WhatARuleHidesStays) {
  const std::string html =
      "<style>.sprite{display:none}</style><div><svg class='x sprite'><path/></svg></div>";
  const Result<InlineSvg> read = InlineSvgs(html).read(svgs(html).at(0));
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(read->hidden);
}

TEST(InlineSvg, ImgInItsPlace) {
  EXPECT_EQ(img("<svg width=10 height=20><path/></svg>"),
            "<img src=\"cid:1@x\" width=\"10\" height=\"20\" alt=\"\" style=\"width:10px;height:20px;\">");
  EXPECT_EQ(
      img("<svg class='a \"b' id=i style='color:red;width:10.4px' viewBox='0 0 1 2'><title> A &amp; "
          "\"B\"\n<b>x</b> </title><path/></svg>"),
      "<img src=\"cid:1@x\" width=\"10\" height=\"21\" alt=\"A &amp; &quot;B&quot;x\" class='a \"b' id=\"i\" "
      "style=\"height:20.8px;color:red;width:10.4px\">");
  EXPECT_EQ(
      img("<svg aria-label='L &lt;1&gt;' style='width:100%' viewBox='0 0 8 4'><title>T</title><path/></svg>"),
      "<img src=\"cid:1@x\" width=\"8\" height=\"4\" alt=\"L &lt;1&gt;\" style=\"height:auto;width:100%\">");
  EXPECT_EQ(img("<svg width=50% viewBox='0 0 8 4' role=presentation><title>T</title><path/></svg>"),
            "<img src=\"cid:1@x\" width=\"8\" height=\"4\" alt=\"\" style=\"width:50%;height:auto;\">");
  // Only the reader's program knows the size of the font that counts.
  EXPECT_EQ(img("<svg width=1em height='1.5EM'><path/></svg>"),
            "<img src=\"cid:1@x\" width=\"16\" height=\"24\" alt=\"\" style=\"width:1em;height:1.5EM;\">");
  EXPECT_EQ(img("<style>.i{width:2rem}</style><svg class=i style='height:1em'><path/></svg>"),
            "<img src=\"cid:1@x\" width=\"32\" height=\"16\" alt=\"\" class=\"i\" "
            "style=\"width:2rem;height:1em\">");
  EXPECT_EQ(img("<svg aria-hidden=true aria-label=x width=1 height=1><path/></svg>"),
            "<img src=\"cid:1@x\" width=\"1\" height=\"1\" alt=\"\" style=\"width:1px;height:1px;\">");
  EXPECT_EQ(
      img("<svg width=1 height=1><g><title>inner</title></g><title><![CDATA[a<b&c]]></title><path/></svg>"),
      "<img src=\"cid:1@x\" width=\"1\" height=\"1\" alt=\"a&lt;b&amp;c\" style=\"width:1px;height:1px;\">");
  EXPECT_EQ(scan(img("<svg style='background:url(data:x);color:red' width=1 height=1><path/></svg>"))
                .references.size(),
            1U);
}

// What newsletters say of all images, on all screens or some, is not for a picture that was no image.
TEST(InlineSvg, RulesForImagesDoNotReachIt) {
  const std::string svg = "<svg width=8 height=4><path/></svg>";
  const std::string before = "<img src=\"cid:1@x\" width=\"8\" height=\"4\" alt=\"\" style=\"";
  EXPECT_EQ(img("<style>img{display:block;max-width:100%}</style>" + svg),
            before + "width:8px;height:4px;display:inline;max-width:none;\">");
  EXPECT_EQ(
      img("<style>@media (max-width:600px){img{width:100%!important;height:auto!important}}</style>" + svg),
      before + "width:8px!important;height:4px!important;\">");
  EXPECT_EQ(img("<style>svg{vertical-align:middle}</style>" + svg),
            before + "width:8px;height:4px;vertical-align:middle;\">");
  EXPECT_EQ(img("<style>.a{margin:0}</style>" + svg), before + "width:8px;height:4px;\">");
}

// Whatever is said of the size, it never ends the attribute that it is carried to.
TEST(InlineSvg, SizesDoNotBreakOut) {
  EXPECT_EQ(img("<style>svg{width:5px\\\"><b>;height:5vw\\\"}</style><svg width='1\"><i>%' viewBox='0 0 8 "
                "4'><path/></svg>"),
            "<img src=\"cid:1@x\" width=\"8\" height=\"4\" alt=\"\" style=\"width:8px;height:4px;\">");
  EXPECT_EQ(img("<style>svg{width:calc(100% - 2px)}</style><svg viewBox='0 0 8 4'><path/></svg>"),
            "<img src=\"cid:1@x\" width=\"8\" height=\"4\" alt=\"\" style=\"width:calc(100% - "
            "2px);height:auto;\">");
  EXPECT_EQ(img("<svg width=3 style='width:nonsense' viewBox='0 0 8 4'><path/></svg>"),
            "<img src=\"cid:1@x\" width=\"3\" height=\"2\" alt=\"\" "
            "style=\"width:3px;height:1.5px;width:nonsense\">");
}

TEST(InlineSvg, CharsetOfTheText) {
  const std::string html = "<svg><title>caf\xE9</title><text>caf\xE9</text></svg>";
  const Reference reference = svgs(html).at(0);
  const Result<InlineSvg> svg = InlineSvgs(html, charset_of(html, "iso-8859-1")).read(reference);
  ASSERT_TRUE(svg.ok());
  EXPECT_TRUE(has(svg->document, "<text>caf\xC3\xA9</text>")) << svg->document;
  EXPECT_TRUE(has(img_element(reference, "u", *svg), "alt=\"caf\xE9\""));
}

TEST(InlineSvg, Limits) {
  std::string deep = "<svg>";
  for (int i = 0; i < 20'000; ++i) deep += "<g>";
  deep += "<path/></svg>";
  EXPECT_FALSE(InlineSvgs(deep).read(svgs(deep).at(0)).ok());
  std::string nested;
  for (int i = 0; i < 20'000; ++i) nested += "<svg><path/>";
  for (int i = 0; i < 20'000; ++i) nested += "</svg>";
  EXPECT_FALSE(InlineSvgs(nested).read(svgs(nested).at(0)).ok());
  std::string uses = "<svg width=0>";
  for (int i = 0; i < 1000; ++i) uses += "<g id=d" + std::to_string(i) + "><path/></g>";
  uses += "</svg><svg>";
  for (int i = 0; i < 1000; ++i) uses += "<use href=#d" + std::to_string(i) + " />";
  uses += "</svg>";
  EXPECT_FALSE(InlineSvgs(uses).read(svgs(uses).at(0)).ok());
  const std::string large = "<svg><path d='" + std::string(kMaxSvgBytes, ' ') + "'/></svg>";
  EXPECT_FALSE(InlineSvgs(large).read(svgs(large).at(0)).ok());
}

}  // namespace
}  // namespace pixmilter::html
