// Every place of a reference, in every spelling of its attribute: what scan() finds, and that replacing it
// changes its bytes and no others.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../lib/sanitizers.h"
#include "html/reference.h"

namespace pixmilter::html {
namespace {

constexpr std::string_view kData = "data:image/png;base64,iVBORw0KGgo=";

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

TEST(Scan, ReferencesWithoutSemicolonAreNotProlonged) {
  EXPECT_EQ(replaced("<img srcset='&#x9/a b'>"), "<img srcset='&#x9&#99;id:1@x b'>");
  EXPECT_EQ(replaced("<img srcset='&#x9;/a b'>"), "<img srcset='&#x9;cid:1@x b'>");
  EXPECT_EQ(replaced("<p style='a:&gt&#117;rl(x)'>"), "<p style='a:&gt&#117;rl(&#39;cid:1@x&#39;)'>");
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
  // It covers what is in the element.
  EXPECT_EQ(urls("<picture data-pixmilter=skip><source srcset=a><img src=b></picture><img src=z>"),
            Urls{"z"});
  EXPECT_EQ(urls("<div data-pixmilter=skip><div><img src=a></div><p "
                 "style='background:url(b)'><style>a{b:url(c)}</style>"
                 "<svg><path/></svg><!--[if mso]><v:fill src=d /><![endif]--></div><img src=z>"),
            Urls{"z"});
  EXPECT_EQ(urls("<p data-pixmilter=skip><img src=a><p><img src=z>"), Urls{"z"});
  EXPECT_EQ(urls("<TD data-pixmilter=skip background=a><img src=b></td><td background=z>"), Urls{"z"});
  EXPECT_EQ(urls("<div data-pixmilter=skip><img src=a>"), Urls{});
  EXPECT_EQ(urls("<!--[if mso]><div data-pixmilter=skip><v:fill src=a /><![endif]--><img src=z>"), Urls{"z"});
  EXPECT_EQ(urls("<br data-pixmilter=skip><img src=z>"), Urls{"z"});
  EXPECT_EQ(urls("<table moz-do-not-send=true background=a><td><img src=z></table>"), Urls{"z"});
  EXPECT_EQ(replaced("<div data-pixmilter=skip><img src=a data-pixmilter='skip'></div>"),
            "<div><img src=a></div>");
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

// A place whose attribute value is "before URL after".
struct Spot {
  std::string_view open, before, after, close;
  Place place;
};
constexpr Spot kSpots[] = {
    {"<p>a<img alt=x src=", "", "", " width=5>b</p>", Place::img_src},
    {"<IMG\nSRC\n=\n", "", "", "\n/>", Place::img_src},
    {"<image src=", "", "", ">", Place::img_src},
    {"<input type=\"image\" src=", "", "", ">", Place::input_src},
    {"<img srcset=", "", "", ">", Place::srcset},
    {"<picture><source type=image/png srcset=", "", "", " media=x></picture>", Place::srcset},
    {"<body background=", "", "", " bgcolor=red>", Place::background},
    {"<table background=", "", "", ">", Place::background},
    {"<thead background=", "", "", ">", Place::background},
    {"<tbody background=", "", "", ">", Place::background},
    {"<tr background=", "", "", ">", Place::background},
    {"<th background=", "", "", ">", Place::background},
    {"<td BACKGROUND=", "", "", ">x</td>", Place::background},
    {"<!--[if gte mso 9]><v:rect><v:fill type=tile src=", "", "", " color=red /></v:rect><![endif]-->",
     Place::vml_src},
    {"<!--[if mso]><v:imagedata src=", "", "", " /><![endif]-->", Place::vml_src},
    {"<!--[if mso | IE]><td background=", "", "", "><![endif]-->", Place::background},
    {"<!--[if !mso]><!--><img src=", "", "", "><!--<![endif]-->", Place::img_src},
    {"<![if !mso]><img src=", "", "", "><![endif]>", Place::img_src},
    {"<!--[if vml]><img src=", "", "", "><!--[if mso]>x<![endif]-->", Place::img_src},
    {"<noscript><img src=", "", "", "></noscript>", Place::img_src},
    {"<svg><g><p><img src=", "", "", ">", Place::img_src},
    {"<div style=", "background:url(", ");color:red", ">", Place::style_attr},
    {"<td style=", "color:red;background:RED/**/Url(", ")no-repeat", ">", Place::style_attr},
    {"<a href=url(x) style=", "background-image:url(", ")", ">", Place::style_attr},
};

std::string entities(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    out += i % 3 == 0       ? "&#" + std::to_string(static_cast<int>(text[i])) + ";"
           : text[i] == ':' ? "&colon;"
           : text[i] == ';' ? "&semi;"
                            : std::string(1, text[i]);
  return out;
}

TEST(Scan, EveryPlaceInEverySpelling) {
  for (const Spot& spot : kSpots) {
    for (const std::string quote : {"\"", "'", ""}) {
      for (const bool escaped : {false, true}) {
        const std::string spelled = escaped ? entities(kData) : std::string(kData);
        const std::string head = std::string(spot.open) + quote, tail = quote + std::string(spot.close);
        const std::string html = head + std::string(spot.before) + spelled + std::string(spot.after) + tail;
        SCOPED_TRACE(html);
        const Scan found = scan(html);
        ASSERT_EQ(found.references.size(), 1U);
        EXPECT_EQ(found.references[0].place, spot.place);
        EXPECT_EQ(found.references[0].raw, spelled);
        EXPECT_EQ(found.references[0].verbatim, !escaped);
        std::string scratch;
        EXPECT_EQ(url(found.references[0], scratch), kData);
        std::string expected = "cid:1@x";
        std::string before(spot.before), after(spot.after);
        if (spot.place == Place::style_attr) {
          const std::string inner = quote == "\"" ? "'" : "&#39;";
          expected = "url(" + inner + expected + inner + ")";
          before.resize(before.size() - 4);
          after.erase(0, 1);
        }
        EXPECT_EQ(replaced(html), head + before + expected + after + tail);
        EXPECT_EQ(urls(replaced(html)), Urls{"cid:1@x"});
      }
    }
  }
}

TEST(Scan, StyleAttributesWithReferencesAndQuotes) {
  EXPECT_EQ(replaced("<p style=\"a:url(&quot;data:x&quot;);b:c\">"), "<p style=\"a:url('cid:1@x');b:c\">");
  EXPECT_EQ(replaced("<p style=\"a:url&lpar; &apos;data:x&apos; &rpar;;b:c\">"),
            "<p style=\"a:url('cid:1@x');b:c\">");
  EXPECT_EQ(replaced("<p style='a:url(\"data:x\");b:&quot;url(y)&quot;'>"),
            "<p style='a:url(&#39;cid:1@x&#39;);b:&quot;url(y)&quot;'>");
  EXPECT_EQ(replaced("<p style=a:url(&#34;data:x&#34;)>"), "<p style=a:url(&#39;cid:1@x&#39;)>");
  EXPECT_EQ(replaced("<p style=\"a:image-set('x' 1x,url(y) 2x)\">"),
            "<p style=\"a:image-set('cid:1@x' 1x,url('cid:1@x') 2x)\">");
  EXPECT_EQ(replaced("<p style='a:image-set(\"x\" 1x)'>"), "<p style='a:image-set(&#39;cid:1@x&#39; 1x)'>");
  EXPECT_EQ(urls("<p style=\"a:url(x&amp;y\\26 z)\">"), Urls{"x&y&z"});
  EXPECT_EQ(urls("<p title=\"background:url(x)\" style=\"enable-background:new 0 0 1 1\">"), Urls{});
}

TEST(Scan, StyleBlocks) {
  EXPECT_EQ(replaced("<style>a{b:url(x)}@import url(y);</style><p style='c:url(z)'>"),
            "<style>a{b:url('cid:1@x')}@import url(y);</style><p style='c:url(&#39;cid:1@x&#39;)'>");
  EXPECT_EQ(replaced("<style type='text/css'><!-- a{b:url(&quot;x)} --></style>"),
            "<style type='text/css'><!-- a{b:url('cid:1@x')} --></style>");
  EXPECT_EQ(urls("<style type=text/less>a{b:url(x)}</style><STYLE>a{b:url(y)}</sTyle x>"), Urls{"y"});
  EXPECT_EQ(urls("<!--[if mso]><style>a{b:url(x)}</style><![endif]-->"), Urls{"x"});
  EXPECT_EQ(urls("<style>a{b:url(x)}"), Urls{"x"});
  EXPECT_EQ(urls("<style data-pixmilter=skip>a{b:url(x)}</style><style>a{b:url(y)}</style>"), Urls{"y"});
  EXPECT_EQ(urls("<style>"), Urls{});
  EXPECT_EQ(urls("<style></style>a{b:url(x)}"), Urls{});
}

TEST(Scan, DisplayedSize) {
  const auto size = [](std::string_view html) {
    const Scan found = scan(html);
    const Reference& reference = found.references.at(0);
    return std::pair(reference.css_width.value_or(-1), reference.css_height.value_or(-1));
  };
  EXPECT_EQ(size("<img src=x width=10 height='20px'>"), std::pair(10.0, 20.0));
  EXPECT_EQ(size("<img src=x width=50% height=x>"), std::pair(-1.0, -1.0));
  EXPECT_EQ(size("<img src=x width=10 style='width:30px;height:2in'>"), std::pair(30.0, 192.0));
  EXPECT_EQ(size("<img src=x width=10 style='width:100%'>"), std::pair(-1.0, -1.0));
  EXPECT_EQ(size("<img src=x style='width:1px!important;width:2px'>"), std::pair(1.0, -1.0));
  EXPECT_EQ(size("<svg width=10.5 height=3><path/></svg>"), std::pair(10.5, 3.0));
  EXPECT_EQ(size("<td width=10 background=x>"), std::pair(-1.0, -1.0));
}

TEST(Scan, ManyUnclosedShapesHideNothing) {
  std::string html = "<svg>";
  for (int i = 0; i < 2000; ++i) html += "<path d=x>";
  EXPECT_EQ(scan(html + "</svg><img src=a>").references.size(), 2U);
  EXPECT_EQ(scan(html + "<svg><g></g></svg></svg><img src=a>").references.size(), 2U);
}

TEST(Scan, HtmlWithinSvg) {
  // It goes with the picture, or stays and counts where the picture stays.
  const std::string inner = "<foreignObject><div><img src=a><style>p{b:url(c)}</style></div></foreignObject>";
  EXPECT_EQ(replaced("<svg><path/>" + inner + "</svg><img src=z>", "I"), "I<img src=I>");
  EXPECT_EQ(urls("<svg hidden><path/>" + inner + "</svg><img src=z>"), (Urls{"a", "c", "z"}));
  EXPECT_EQ(urls("<svg>" + inner + "</svg><img src=z>"), (Urls{"a", "c", "z"}));
  EXPECT_EQ(replaced("<svg data-pixmilter=skip><path/>" + inner + "</svg><img src=z>", "I"),
            "<svg><path/>" + inner + "</svg><img src=I>");
  // A picture that never ends would take the rest of the text with it.
  EXPECT_EQ(urls("<svg><path/><foreignObject><div><img src=a></foreignObject></svg><p>text<img src=b>"),
            (Urls{"a", "b"}));
  EXPECT_EQ(urls("<svg><path/> <a href=x>text</a>"), Urls{});
}

TEST(Scan, HiddenSvgStays) {
  for (const std::string attributes :
       {"width=0", "height='0'", "hidden", "style='display:none'", "style='DISPLAY : None !important'",
        "style='position:absolute;width:0;height:0'"})
    EXPECT_EQ(urls("<svg " + attributes + "><path/></svg>"), Urls{}) << attributes;
  EXPECT_EQ(urls("<svg><symbol id=a><path/></symbol><defs><g><path/></g></defs></svg>"), Urls{});
  EXPECT_EQ(scan("<svg><defs><path/></defs><use href=#a /></svg>").references.size(), 1U);
  EXPECT_EQ(scan("<svg/><svg><path/></svg>").references.size(), 1U);
  EXPECT_EQ(scan("<svg data-pixmilter=skip><path/></svg>").skipped, 1U);
}

// What is looked at must grow with the text and no faster, whatever is left open in it.
TEST(Scan, TimeIsLinear) {
  const std::string_view pieces[] = {"<",
                                     "<a",
                                     "<a ",
                                     "<!--",
                                     "<!--[if mso]>",
                                     "<!--[if mso",
                                     "<![CDATA[",
                                     "<svg>",
                                     "<svg><path>",
                                     "<svg><style>",
                                     "<table>",
                                     "<table><tr><td>",
                                     "<style>",
                                     "<style>a{b:url(",
                                     "<style>a{b:url('",
                                     "<script><!--",
                                     "<script><!--<script>",
                                     "<title>",
                                     "</title",
                                     "<p style=\"a:url(",
                                     "<p style='\"\n\\",
                                     "<img srcset='a,",
                                     "<img a=",
                                     "<img src=\"",
                                     "&",
                                     "&lt",
                                     "--!",
                                     "]]>",
                                     "<svg></p>",
                                     "<math><svg>",
                                     "<svg><g></div>",
                                     "<p style=\"url(&quot;",
                                     "<img data-pixmilter=skip a",
                                     "</svg>",
                                     "<!-->",
                                     "<?",
                                     "<svg><foreignObject>",
                                     "<!--[if mso]><!--[if mso]><img src=",
                                     "<div><svg></div>"};
  for (const std::string_view piece : pieces) {
    for (const std::string_view start :
         {"", "<style>", "<script><!--", "<p style=\"", "<svg>", "<!--[if mso]>", "<img srcset=\""}) {
      std::string text(start);
      for (std::size_t i = 0; i < tests::rounds(20'000); ++i) text += piece;
      for (const std::string_view end : {"", "\">", "-->"}) {
        const Scan found = scan(text + std::string(end));
        EXPECT_LE(found.work, 8 * text.size()) << start << " then many " << piece;
      }
    }
  }
}

}  // namespace
}  // namespace pixmilter::html
