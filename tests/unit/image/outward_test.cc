#include "image/outward.h"

#include <gtest/gtest.h>

#include <string>

#include "../../lib/sanitizers.h"

namespace pixmilter::image {
namespace {

std::string object(std::string_view content) {
  return "<foreignObject width=\"9\" height=\"9\">" + std::string(content) + "</foreignObject>";
}
bool lost(std::string_view content) {
  return loses_foreign_object("<svg>" + std::string(content) + "</svg>");
}

TEST(ForeignObject, IsLostWhereItHoldsAnything) {
  EXPECT_TRUE(lost(object("text")));
  EXPECT_TRUE(lost(object("<div xmlns=\"http://www.w3.org/1999/xhtml\"><b>text</b></div>")));
  EXPECT_TRUE(lost(object("<div><img src=\"data:,\"/></div>")));
  EXPECT_TRUE(lost("<svg:foreignObject>text</svg:foreignObject>"));
  EXPECT_TRUE(lost("<FOREIGNOBJECT>text</ForeignObject >"));
  EXPECT_TRUE(lost("<foreignObject>text"));
  EXPECT_TRUE(lost(object("") + object(" \n ") + "<foreignObject/>" + object("text")));
  EXPECT_FALSE(lost(object("")));
  EXPECT_FALSE(lost(object("<div> </div>\n")));
  EXPECT_FALSE(lost("<foreignObject width=\"9\"/><text>text</text>"));
  EXPECT_FALSE(lost("<text>foreignObject</text>"));
  EXPECT_FALSE(lost("<text>text</text>"));
  EXPECT_FALSE(lost("<foreignObject"));
}

TEST(ForeignObject, MayHaveAnAlternative) {
  EXPECT_FALSE(lost("<switch>" + object("text") + "<text>text</text></switch>"));
  EXPECT_FALSE(lost("<g><switch id=\"a\">\n" + object("text") + "\n<image href=\"data:,\"/></switch></g>"));
  EXPECT_TRUE(lost("<switch>" + object("text") + "</switch>"));
  EXPECT_TRUE(lost("<g><switch/>" + object("text") + "<text>text</text></g>"));
}

// Whatever a sender writes, a look at it takes no longer than its bytes.
TEST(ForeignObject, TakesTimeInProportion) {
  constexpr std::size_t kMany = tests::rounds(400'000);
  for (const std::string_view piece :
       {"<", "</", "<foreignObject>", "<foreignObject/>", "<a", "</foreignObject"}) {
    std::string svg = "<foreignObject>" + std::string(kMany, ' ');
    for (std::size_t i = 0; i < kMany; ++i) svg += piece;
    loses_foreign_object(svg);
    loses_foreign_object(std::string(kMany, ' ') + svg + ">");
  }
  std::string pairs(kMany, ' ');
  for (std::size_t i = 0; i < kMany / 10; ++i) pairs += "<foreignObject>x</foreignObject>";
  EXPECT_TRUE(loses_foreign_object(pairs));
}

}  // namespace
}  // namespace pixmilter::image
