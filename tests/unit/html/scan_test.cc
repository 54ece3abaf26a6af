// Every place of a reference, in every spelling of its attribute: what scan() finds, and that replacing it
// changes its bytes and no others.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "html/reference.h"

namespace pixmilter::html {
namespace {

constexpr std::string_view kPng = "data:image/png;base64,iVBORw0KGgo=";

std::vector<std::string> urls(std::string_view html) {
  std::vector<std::string> out;
  std::string scratch;
  for (const Reference& reference : scan(html).references) out.emplace_back(url(reference, scratch));
  return out;
}

// The text with every reference replaced, as the pipeline does it.
std::string replaced(std::string_view html, std::string_view new_url = "cid:1@x") {
  const Scan found = scan(html);
  std::string out;
  std::size_t at = 0, removal = 0;
  for (const Reference& reference : found.references) {
    for (; removal < found.removals.size() && found.removals[removal].begin < reference.range.begin;
         ++removal) {
      out += html.substr(at, found.removals[removal].begin - at);
      at = found.removals[removal].end;
    }
    EXPECT_LE(at, reference.range.begin);
    out += html.substr(at, reference.range.begin - at);
    out += replacement(reference, new_url);
    at = reference.range.end;
  }
  for (; removal < found.removals.size(); ++removal) {
    out += html.substr(at, found.removals[removal].begin - at);
    at = found.removals[removal].end;
  }
  return out += html.substr(at);
}

using Urls = std::vector<std::string>;

TEST(Scan, ImgSrcInEverySpelling) {
  EXPECT_EQ(replaced("<img src=\"data:x\">"), "<img src=\"cid:1@x\">");
  EXPECT_EQ(replaced("<IMG SRC='data:x'/>"), "<IMG SRC='cid:1@x'/>");
  EXPECT_EQ(replaced("<img src=data:x alt=y>"), "<img src=cid:1@x alt=y>");
  EXPECT_EQ(replaced("<img\n src = \"\n data:x \" >"), "<img\n src = \"\n cid:1@x \" >");
  EXPECT_EQ(replaced("<img src=\"&#100;ata&colon;x\">"), "<img src=\"cid:1@x\">");
  EXPECT_EQ(urls("<img src=\"&#100;ata&colon;a&amp;b\">"), Urls{"data:a&b"});
  EXPECT_EQ(urls("<img src=a src=b>"), Urls{"a"});
  EXPECT_EQ(urls("<img src>"), Urls{});
  EXPECT_EQ(urls("<img src=''>"), Urls{});
}

TEST(Scan, SrcsetSplitsAsTheStandardSays) {
  EXPECT_EQ(urls("<img srcset=\"data:a,b 1x, data:c,d 2x\">"), (Urls{"data:a,b", "data:c,d"}));
  EXPECT_EQ(replaced("<source srcset='data:a,b, ,data:c,d 2x,e'>"),
            "<source srcset='cid:1@x, ,cid:1@x 2x,cid:1@x'>");
  EXPECT_EQ(urls("<img srcset='a (,) 1x,b'>"), (Urls{"a", "b"}));
  EXPECT_EQ(replaced("<img srcset='data:a&#44;b&#32;1x&comma; c'>"),
            "<img srcset='cid:1@x&#32;1x&comma; cid:1@x'>");
}

TEST(Scan, OtherAttributes) {
  EXPECT_EQ(urls("<input type=image src=a><input src=b><input type=' IMAGE' src=c>"), (Urls{"a", "c"}));
  for (const std::string tag : {"body", "table", "thead", "tbody", "tr", "th", "td"})
    EXPECT_EQ(urls("<" + tag + " background=a>"), Urls{"a"}) << tag;
  EXPECT_EQ(urls("<div background=a><tfoot background=a>"), Urls{});
  EXPECT_EQ(urls("<a href=x><iframe src=x></iframe><script src=x></script><img data-src=x>"), Urls{});
  EXPECT_EQ(urls("<textarea><img src=x></textarea><title><img src=x></title><!-- <img src=x> -->"), Urls{});
  EXPECT_EQ(urls("<script>\"<img src=x>\"</script><xmp><img src=x></xmp><noscript><img src=y></noscript>"),
            Urls{"y"});
}

TEST(Scan, ConditionalComments) {
  EXPECT_EQ(urls("<!--[if mso]><v:fill src=a /><img src=b><![endif]--><img src=c>"), (Urls{"a", "b", "c"}));
  EXPECT_EQ(urls("<![if !mso]><img src=a><![endif]>"), Urls{"a"});
  EXPECT_EQ(urls("<!--[if !mso]><!--><img src=a><!--<![endif]-->"), Urls{"a"});
  EXPECT_EQ(urls("<!--[if gte mso 9]><v:imagedata src='a'/><!--[if mso]><img src=b><![endif]-->"),
            (Urls{"a", "b"}));
}

TEST(Scan, OptOut) {
  EXPECT_EQ(replaced("<img src=a data-pixmilter=\"skip\" alt=x><img src=b>"),
            "<img src=a alt=x><img src=cid:1@x>");
  EXPECT_EQ(replaced("<img src=a data-pixmilter=skip/>"), "<img src=a />");
  EXPECT_EQ(replaced("<img data-pixmilter='skip'src=a>"), "<img src=a>");
  EXPECT_EQ(replaced("<img moz-do-not-send=\"true\" src=a>"), "<img moz-do-not-send=\"true\" src=a>");
  EXPECT_EQ(scan("<img src=a srcset=b data-pixmilter=skip>").skipped, 2U);
}

TEST(Scan, InlineSvg) {
  EXPECT_EQ(replaced("a<svg width=1><g><svg><path/></svg></g></svg>b", "I"), "aIb");
  EXPECT_EQ(replaced("<svg><path/><p>x</svg>", "I"), "I<p>x</svg>");
  EXPECT_EQ(replaced("<div><svg><path/></div>x", "I"), "<div>I</div>x");
  EXPECT_EQ(replaced("<svg><style><img src=a></style><path/></svg>", "I"),
            "<svg><style><img src=I></style><path/></svg>");
  EXPECT_EQ(urls("<svg width=0><path/></svg><svg hidden><path/></svg><svg><defs><path/></defs></svg>"),
            Urls{});
}

}  // namespace
}  // namespace pixmilter::html
