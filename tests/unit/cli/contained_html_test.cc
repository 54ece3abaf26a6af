// What strangers write and an administrator opens: only harmless elements and attributes get through.
#include <gtest/gtest.h>

#include "cli/client_view.h"
#include "cli/contained_html.h"
#include "html/tokenizer.h"
#include "mail/mime_tree.h"

namespace pixmilter::cli {
namespace {

ContainedHtml contained(std::string_view html) {
  return contained_html(html, [](std::string_view id) {
    return id == "known" ? Shown{"data:image/png;base64,AAAA", Hole::missing, 10} : Shown{};
  });
}

// Behind our own head.
std::string body(std::string_view html) {
  const std::string document = contained(html).document;
  return document.substr(document.find("</style>") + 8);
}

TEST(ContainedHtml, KeepsHowTextLooks) {
  EXPECT_EQ(body("<p class=a style=\"color:red\">Gr&uuml;&szlig;e &amp; <b>more</b></p>"),
            "<p class=\"a\" style=\"color:red\">Grüße &amp; <b>more</b></p>");
  EXPECT_EQ(body("<TABLE BGCOLOR=#fff><TR><TD>x"), "<table bgcolor=\"#fff\"><tr><td>x");
}

TEST(ContainedHtml, ScriptsGo) {
  EXPECT_EQ(body("a<script>b</script>c"), "ac");
  EXPECT_EQ(body("<img src=x onerror=alert(1)>"), "<img src=\"data:,remote\">");
  EXPECT_EQ(body("<p onclick=x>y"), "<p>y");
  EXPECT_EQ(body("<a href=\"javascript:x\" target=_top ping=y>z</a>"),
            "<a data-link title=\"javascript:x\">z</a>");
  EXPECT_EQ(body("<svg><script>x</script></svg>y"), "y");
  EXPECT_EQ(body("<math><mi>x</mi></math>y"), "y");
}

TEST(ContainedHtml, WhatIsCutOutJoinsToNothing) {
  EXPECT_EQ(body("<<x>script>alert(1)<</x>/script>"), "&lt;script&gt;alert(1)&lt;/script&gt;");
  EXPECT_EQ(body("&lt;script>"), "&lt;script&gt;");
  EXPECT_EQ(body("<textarea></textarea><b>x"), "<b>x");
  EXPECT_EQ(body("<xmp><b></xmp>"), "<pre>&lt;b&gt;</pre>");
  EXPECT_EQ(body("<p title='\"><script>'>x"), "<p title=\"&quot;&gt;&lt;script&gt;\">x");
}

TEST(ContainedHtml, NothingIsLoaded) {
  for (const char* html :
       {"<link rel=preconnect href=//x>", "<base href=//x>", "<meta http-equiv=refresh content='0;url=//x'>",
        "<iframe src=//x></iframe>", "<object data=//x></object>", "<embed src=//x>",
        "<form action=//x></form>", "<video src=//x></video>", "<input type=text autofocus>",
        "<button formaction=//x></button>"})
    EXPECT_EQ(body(html), "") << html;
  EXPECT_EQ(body("<body background=//x>y"), "<body background=\"data:,remote\">y");
  EXPECT_EQ(body("<p background=//x>y"), "<p>y");
  EXPECT_EQ(body("<img srcset='//x 1x, data:image/png,y 2x'>").find("//x"), std::string::npos);
}

TEST(ContainedHtml, StyleSheetsStayRawText) {
  EXPECT_EQ(body("<style>p{color:red}</style>x"), "<style>p{color:red}</style>x");
  EXPECT_EQ(body("<style>a</sty<b</style>"), "<style>a\\3c /sty\\3c b</style>");
  EXPECT_EQ(body("<style><!-- p{} --></style>"), "<style><!-- p{} --></style>");
  EXPECT_EQ(body("<style>p{}"), "<style>p{}</style>");
}

TEST(ContainedHtml, PicturesAndHoles) {
  const ContainedHtml html = contained(
      "<img src=cid:known><img src='cid:kn%6Fwn'><img src=cid:other><img src=data:image/png,x><img "
      "src=http://x/>"
      "<svg width=9 height=9><rect/></svg>");
  EXPECT_EQ(html.pictures, 2u);
  EXPECT_EQ(html.holes, 4u);
  EXPECT_NE(html.document.find("<img src=\"data:image/png;base64,AAAA\">"), std::string::npos);
  for (const char* hole : {"data:,missing", "data:,blocked", "data:,remote", "inline SVG"})
    EXPECT_NE(html.document.find(hole), std::string::npos) << hole;
}

// Whatever goes in: what comes out holds no element and no attribute that is not on the lists.
TEST(ContainedHtml, HoldsForPiecesOfMarkupInAnyOrder) {
  static constexpr const char* kPieces[] = {
      "<",        ">",         "/",        "\"",         "'",       "script",     "<script>",    "</script>",
      "<style>",  "</style>",  "<svg>",    "</svg>",     "<img ",   "src=",       "onerror=x",   "<!--",
      "-->",      "<a href=",  "x",        " ",          "<title>", "</title>",   "<xmp>",       "</xmp>",
      "<math>",   "<![CDATA[", "]]>",      "&lt;",       "&#60;",   "data:",      "<p ",         "style=",
      "url(//x)", "<table>",   "<select>", "<noscript>", "\0",      "<textarea>", "<plaintext>", "</"};
  std::uint32_t state = 1;
  for (int round = 0; round < 3000; ++round) {
    std::string html;
    for (int i = 0; i < 30; ++i) {
      state = state * 1664525 + 1013904223;
      html += kPieces[(state >> 16) % std::size(kPieces)];
    }
    const std::string out = body(html);
    html::Tokenizer tokenizer(out);
    html::Token token;
    while (tokenizer.next(token)) {
      EXPECT_TRUE(token.kind == html::TokenKind::text || token.kind == html::TokenKind::start_tag ||
                  token.kind == html::TokenKind::end_tag)
          << html << "\n"
          << out;
      for (const char* bad :
           {"script", "svg", "math", "title", "select", "textarea", "plaintext", "xmp", "noscript"})
        EXPECT_NE(token.name, bad) << html << "\n" << out;
      for (const html::Attribute& attribute : token.attributes) {
        EXPECT_FALSE(attribute.name.starts_with("on") || attribute.name == "href") << html << "\n" << out;
        if (attribute.name == "src") {
          EXPECT_TRUE(attribute.value.starts_with("data:")) << out;
        }
      }
    }
  }
}

TEST(Escaped, IsTextAnywhere) {
  EXPECT_EQ(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;'");
  EXPECT_EQ(escaped(std::string("a\0\x1b\x7f\tb\n", 7)), "a\tb\n");
  EXPECT_EQ(escaped("\xff\xc3\xa9\xe2\x82"), "\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
}

ClientView viewed(const std::string& text) {
  mail::initialise_mime();
  Room room(1 << 20);
  return client_view(mail::Message(text), room);
}

TEST(ClientView, TheBestAlternative) {
  const ClientView view = viewed(
      "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\n"
      "Content-Type: text/html\n\n<p>html\n--b\nContent-Type: text/calendar\n\nx\n--b--\n");
  ASSERT_EQ(view.blocks.size(), 1u);
  EXPECT_EQ(view.blocks[0].kind, ViewBlock::Kind::html);
}

TEST(ClientView, FilesAndSignatures) {
  const ClientView view = viewed(
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\n"
      "Content-Type: application/pdf; name=x.pdf\n\nx\n--b\nContent-Type: text/html\nContent-Disposition: "
      "attachment\n\nx\n--b--\n");
  ASSERT_EQ(view.blocks.size(), 1u);
  EXPECT_EQ(view.blocks[0].text, "plain");
  EXPECT_EQ(view.files.size(), 2u);
  EXPECT_EQ(view.files[0].name, "x.pdf");
}

TEST(ClientView, APictureThatIsNamedAThousandTimesHasItsRoom) {
  std::string html;
  for (int i = 0; i < 1000; ++i) html += "<img src=cid:p>";
  mail::initialise_mime();
  Room room(100'000);
  const mail::Message message(
      "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n" + html +
      "\n--b\nContent-Type: image/gif\nContent-ID: <p>\n\nGIF89a" + std::string(3000, 'x') + "\n--b--\n");
  const ClientView view = client_view(message, room);
  ASSERT_EQ(view.blocks.size(), 1u);
  EXPECT_LT(view.blocks[0].text.size(), 200'000u);
  EXPECT_GT(view.pictures, 5u);
  EXPECT_GT(view.holes, 900u);
}

}  // namespace
}  // namespace pixmilter::cli
