// Values in SVG templates: read from a query, and never anything but text.
#include "source/svg_template.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pixmilter::source {
namespace {

std::string filled(std::string_view svg, std::string_view query, std::uint64_t max_bytes = 1000) {
  const Result<TemplateValues> values = read_query(query);
  if (!values) return "error: " + values.error().text;
  const Result<std::string> out = fill_template(svg, *values, max_bytes);
  return out ? *out : "error: " + out.error().text;
}

TEST(SvgTemplate, FillsNames) {
  EXPECT_EQ(filled("<t>{{name}} {{value}}</t>", "name=Jane&value=42"), "<t>Jane 42</t>");
  EXPECT_EQ(filled("{{ name }}{{\nname}}{{name}}", "name=J"), "JJJ");
  EXPECT_EQ(filled("{{a-b.c_1}}", "a-b.c_1=x"), "x");
  EXPECT_EQ(filled("{{name}}", "name="), "");
  EXPECT_EQ(filled("{{name}}", "name"), "");
  EXPECT_EQ(filled("{{name}}", "name=Jane+D%C3%B6e%2B1"), "Jane D&#246;e+1");
  EXPECT_EQ(filled("{{name}}", "&&name=a=b&"), "a=b");
  EXPECT_EQ(filled("no names", "name=x"), "no names");
}

TEST(SvgTemplate, LeavesOtherBraces) {
  for (const std::string_view text :
       {"{{", "{{}}", "{{ }}", "{{1a}}", "{{a b}}", "{{a}", "{a}", "@media{a{b{c:d}}}", "{{a"})
    EXPECT_EQ(filled(text, "a=x&b=y"), text);
  EXPECT_EQ(filled("{{{a}}}", "a=x"), "{x}");
  EXPECT_EQ(filled("{{{{a}}}}", "a=x"), "{{x}}");
}

TEST(SvgTemplate, WantsAValueForEachName) {
  EXPECT_EQ(filled("{{name}}", ""), "error: no value for {{name}}");
  EXPECT_EQ(filled("{{name}}", "Name=x"), "error: no value for {{name}}");
  EXPECT_EQ(filled("{{name}}", "name=a&name=b"), "error: two values for one name");
}

TEST(SvgTemplate, KeepsValuesText) {
  EXPECT_EQ(filled("<t a='{{v}}' b=\"{{v}}\">{{v}}</t>", "v=%3C%26%3E%22%27"),
            "<t a='&lt;&amp;&gt;&quot;&apos;' b=\"&lt;&amp;&gt;&quot;&apos;\">&lt;&amp;&gt;&quot;&apos;</t>");
  EXPECT_EQ(filled("<!--{{v}}--><![CDATA[{{v}}]]>", "v=]]%3E--%3E"),
            "<!--]]&gt;--&gt;--><![CDATA[]]&gt;--&gt;]]>");
  // What a value brings is not looked at again.
  EXPECT_EQ(filled("{{a}}{{b}}", "a={{b}}&b=x"), "{{b}}x");
  EXPECT_EQ(filled("{{a}}", "a=%26lt%3B"), "&amp;lt;");
  EXPECT_EQ(filled("{{a}}", "a=%F0%9F%98%80%0A"), "&#128512;&#10;");
}

TEST(SvgTemplate, RefusesWhatIsNoText) {
  for (const char* query : {"a=%00", "a=%01", "a=%FF", "a=%C3", "a=%C0%80", "a=%ED%A0%80", "a=%EF%BF%BE",
                            "a=%F5%80%80%80", "a=%zz", "a=%", "%FF=a"})
    EXPECT_TRUE(filled("{{a}}", query).starts_with("error: ")) << query;
}

TEST(SvgTemplate, IsBounded) {
  const std::string svg(1000, '.');
  EXPECT_EQ(filled("{{a}}" + svg, "a=", 1000), svg);
  EXPECT_TRUE(filled("{{a}}" + svg, "a=x", 1000).starts_with("error: "));
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "{{a}}";
  EXPECT_TRUE(filled(many, "a=" + std::string(100'000, 'x'), 1 << 20).starts_with("error: "));
}

}  // namespace
}  // namespace pixmilter::source
