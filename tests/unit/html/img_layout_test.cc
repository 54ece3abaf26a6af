// What an <img> has to say to lie where the <svg> lay.
#include "html/img_layout.h"

#include <gtest/gtest.h>

#include <string>

namespace pixmilter::html {
namespace {

TEST(ImgLayout, SaysNothingWhereBothAreStyledAlike) {
  EXPECT_EQ(img_layout({"", "", ""}, ""), "");
  EXPECT_EQ(img_layout({"margin:0 auto;", "margin:0 auto;", "margin:0 auto;"}, ""), "");
  EXPECT_EQ(img_layout({"", "display:none;", "display:none;"}, ""), "");
  EXPECT_EQ(img_layout({"", "", "border:none;display:inline;line-height:0;"}, ""), "");
}

TEST(ImgLayout, TakesBackWhatIsMeantForImages) {
  EXPECT_EQ(img_layout({"", "", "display:block;max-width:100%;"}, ""), "display:inline;max-width:none;");
  EXPECT_EQ(img_layout({"", "", "display:block!important;"}, ""), "display:inline!important;");
  EXPECT_EQ(img_layout({"", "", "margin-left:4px;"}, ""), "margin:0;");
  EXPECT_EQ(img_layout({"", "", "border-top-left-radius:4px;"}, ""), "border-radius:0;");
}

TEST(ImgLayout, GivesWhatWasMeantForSvg) {
  EXPECT_EQ(img_layout({"vertical-align:middle;", "vertical-align:middle;", ""}, ""),
            "vertical-align:middle;");
  EXPECT_EQ(img_layout({"margin:1px;margin:2px;", "margin:1px;margin:2px;", "margin-top:9px;"}, ""),
            "margin:0;margin:2px;");
  // For some screens only: the rule itself no longer reaches it, but it is not to hold everywhere.
  EXPECT_EQ(img_layout({"", "display:block;", ""}, ""), "");
}

TEST(ImgLayout, TheElementsOwnStyleStaysStronger) {
  EXPECT_EQ(img_layout({"", "", "display:block;"}, "display:table"), "display:inline;");
  EXPECT_EQ(img_layout({"", "", "display:block!important;"}, "display:table"),
            "display:inline!important;display:table!important;");
  EXPECT_EQ(img_layout({"float:left!important;", "float:left!important;", ""}, "float:right"),
            "float:left!important;");
}

TEST(ImgLayout, CarriesNothingThatIsNoSize) {
  const std::string endless = "margin:" + std::string(100, '1') + ';';
  EXPECT_EQ(img_layout({endless, "margin:1\\30px;", "margin:\xC3\xA9;"}, ""), "");
}

TEST(ImgLayout, KnowsWhatOnlyInsistingWithstands) {
  EXPECT_TRUE(overrides_size("width:100%!important;"));
  EXPECT_TRUE(overrides_size("color:red;HEIGHT:auto!important;"));
  EXPECT_FALSE(overrides_size("width:100%;max-width:9px!important;"));
}

}  // namespace
}  // namespace pixmilter::html
