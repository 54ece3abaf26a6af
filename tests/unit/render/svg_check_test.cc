#include "render/svg_check.h"

#include <gtest/gtest.h>

#include <string>

namespace pixmilter::render {
namespace {

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}
image::Status status(const std::string& text) {
  const auto cost = check_svg(text);
  return cost ? image::Status::ok : cost.failure().status;
}
std::string nested_uses(int levels, const std::string& how) {
  std::string out = "<svg><g id='a0'><rect/></g>";
  for (int i = 1; i <= levels; ++i) {
    std::string use = how;
    const std::size_t at = use.find('@');
    use.replace(at, 1, "a" + std::to_string(i - 1));
    out += "<g id='a" + std::to_string(i) + "'>" + repeat(use, 10) + "</g>";
  }
  return out + "</svg>";
}

TEST(SvgCheck, PassesDrawings) {
  EXPECT_EQ(status("<svg/>"), image::Status::ok);
  EXPECT_EQ(status("<?xml?><!DOCTYPE svg [<!ENTITY ns 'http://x'><!ENTITY nbsp '&#160;'>]><svg "
                   "xmlns='&ns;'><!-- <g> --><g a=\">\"/></svg>"),
            image::Status::ok);
  EXPECT_EQ(status("<svg>" + repeat("<path d='M0 0'/>", 50'000) + "</svg>"), image::Status::ok);
  EXPECT_EQ(status(nested_uses(3, "<use href='#@'/>")), image::Status::ok);
  EXPECT_EQ(status("<svg><g id='a'><use href='#a'/></g></svg>"), image::Status::ok);  // a cycle
  EXPECT_EQ(status("not xml at all < < <"), image::Status::ok);
}

TEST(SvgCheck, BoundsNestingAndCount) {
  EXPECT_EQ(status("<svg>" + repeat("<g>", 255) + "</svg>"), image::Status::ok);
  EXPECT_EQ(status("<svg>" + repeat("<g>", 256) + "</svg>"), image::Status::limit);
  EXPECT_EQ(status("<svg>" + repeat("<g/>", 100'001) + "</svg>"), image::Status::limit);
  EXPECT_EQ(status(std::string(kMaxSvgBytes + 1, ' ')), image::Status::limit);
}

TEST(SvgCheck, FollowsReferences) {
  for (const char* how :
       {"<use href='#@'/>", "<use xlink:href=\"#@\"/>", "<rect fill='url(#@)'/>",
        "<rect style='mask: url( \"#@\" )'/>", "<path marker-end = 'url(#@)' />", "<x:use y:href=' #@ '/>"})
    EXPECT_EQ(status(nested_uses(8, how)), image::Status::limit) << how;
  std::string wide;
  for (const char c : nested_uses(8, "<use href='#@'/>")) wide += {c, '\0'};
  EXPECT_EQ(status("\xFF\xFE" + wide), image::Status::limit);
  EXPECT_EQ(status(wide), image::Status::limit);
  // A long chain of references must not use the stack up.
  std::string chain = "<svg>";
  for (int i = 0; i < 40'000; ++i)
    chain += "<g id='a" + std::to_string(i) + "'><use href='#a" + std::to_string(i + 1) + "'/></g>";
  EXPECT_NE(status(chain + "</svg>"), image::Status::refused);
}

TEST(SvgCheck, RefusesEntitiesWithinEntities) {
  EXPECT_EQ(status("<!DOCTYPE svg [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><svg>&b;</svg>"),
            image::Status::refused);
  EXPECT_EQ(status("<!DOCTYPE svg [<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;]><svg/>"),
            image::Status::refused);
}

TEST(SvgCheck, CountsFilterSteps) {
  const auto cost = check_svg(
      "<svg><filter id='f'><feGaussianBlur/><feTurbulence numOctaves='40'/></filter><rect "
      "filter='url(#f)'/><g style=\"filter:url('#f')\"/></svg>");
  ASSERT_TRUE(cost);
  EXPECT_EQ(cost->filter_steps, 82u);
}

}  // namespace
}  // namespace pixmilter::render
