#include "config/url_pattern.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace pixmilter::config {
namespace {

bool matches(const char* pattern, const char* url) {
  const Result<UrlPattern> parsed = UrlPattern::parse(pattern);
  const Result<Url> target = parse_url(url);
  EXPECT_TRUE(parsed) << pattern;
  EXPECT_TRUE(target) << url;
  return parsed && target && parsed->matches(*target);
}

TEST(UrlPattern, Matches) {
  EXPECT_TRUE(matches("https://example.org/render/*", "https://example.org/render/d/1?panel=2"));
  EXPECT_TRUE(matches("https://example.org/render/*", "https://EXAMPLE.org:443/x/../render/"));
  EXPECT_TRUE(matches("https://Example.org", "https://example.org/any/thing?at=all"));
  EXPECT_TRUE(matches("https://example.org/", "https://example.org"));
  EXPECT_TRUE(matches("https://example.org:8443/*", "https://example.org:8443/a"));
  EXPECT_TRUE(matches("https://*.example.org/*", "https://a.example.org/"));
  EXPECT_TRUE(matches("https://*.example.org/*", "https://a.b.example.org/"));
  EXPECT_TRUE(matches("https://*/*", "https://anything.example/"));
  EXPECT_TRUE(matches("http://127.0.0.1:8080/*", "http://127.0.0.1:8080/a"));
  EXPECT_TRUE(matches("http://[::1]/*", "http://[0:0::1]/a"));
  EXPECT_TRUE(matches("https://example.org/*.png", "https://example.org/a/b.png"));
  EXPECT_TRUE(matches("https://example.org/a%62c/*", "https://example.org/%61bc/d"));
  EXPECT_TRUE(matches("https://example.org/c?id=*", "https://example.org/c?id=7&x=8"));
}

TEST(UrlPattern, DoesNotMatch) {
  EXPECT_FALSE(matches("https://example.org/render/*", "http://example.org/render/"));
  EXPECT_FALSE(matches("https://example.org/render/*", "https://example.org/render"));
  EXPECT_FALSE(matches("https://example.org/render/*", "https://example.org/Render/"));
  EXPECT_FALSE(matches("https://example.org/render/*", "https://example.org/render/../admin"));
  EXPECT_FALSE(matches("https://example.org/render/*", "https://example.org/admin?/render/"));
  EXPECT_FALSE(matches("https://example.org/render/*", "https://example.org:8443/render/"));
  EXPECT_FALSE(matches("https://example.org/", "https://example.org/a"));
  EXPECT_FALSE(matches("https://example.org", "https://example.org.evil.example/"));
  EXPECT_FALSE(matches("https://example.org", "https://notexample.org/"));
  EXPECT_FALSE(matches("https://*.example.org", "https://example.org/"));
  EXPECT_FALSE(matches("https://*.example.org", "https://notexample.org/"));
  EXPECT_FALSE(matches("https://*.example.org", "https://a.example.org.evil.example/"));
  EXPECT_FALSE(matches("https://*", "https://127.0.0.1/"));
  EXPECT_FALSE(matches("https://*", "https://[::1]/"));
  EXPECT_FALSE(matches("https://example.org/*.png", "https://example.org/a.png.html"));
  EXPECT_FALSE(matches("https://example.org/c?id=*", "https://example.org/c"));
  EXPECT_FALSE(matches("https://example.org/c?id=*", "https://example.org/c?di=7"));
}

TEST(UrlPattern, Refused) {
  for (const char* text : {"",
                           "example.org",
                           "http",
                           "https",
                           "https:/",
                           "ftp://example.org/",
                           "*://example.org/",
                           "https://",
                           "https:///a",
                           "https://user@example.org/",
                           "https://ex*mple.org/",
                           "https://a.*.example.org/",
                           "https://*example.org/",
                           "https://**.example.org/",
                           "https://*.*.org/",
                           "https://example.org:*/",
                           "https://example.org:0/",
                           "https://example.org:/",
                           "https://example.org/a b",
                           "https://example.org/#a",
                           "https://0x7f.1/",
                           "https://example.org/a/..%2f*",
                           "https://example.org\\a",
                           "https://b\xC3\xBC"
                           "cher.example/"})
    EXPECT_FALSE(UrlPattern::parse(text)) << text;
}

TEST(UrlPattern, AListAddsTheSource) {
  const auto http = [](const std::string& text) {
    const Loaded loaded = load_text(text, "test");
    EXPECT_TRUE(loaded.ok()) << loaded.problems.front().text();
    return loaded.settings;
  };
  EXPECT_FALSE(http("").defaults.sources.http);
  EXPECT_FALSE(http("[fetch]\nallow = []").defaults.sources.http);
  const std::string allow = "[fetch]\nallow = [\"https://example.org\"]\n";
  EXPECT_TRUE(http(allow).defaults.sources.http);
  EXPECT_TRUE(http("[[rule]]\n" + allow).rules.at(0).policy.sources.http);
  EXPECT_FALSE(http(allow + "[defaults]\nsources = [\"data\"]").defaults.sources.http);
  EXPECT_FALSE(http(allow + "[[rule]]\nsources = [\"data\"]").rules.at(0).policy.sources.http);
}

TEST(UrlPattern, ProblemsNameTheirPlace) {
  const Loaded loaded = load_text(
      "[fetch]\nallow = [\"https://example.org\",\n  \"ftp://example.org\", 7]\nca_file = \"a.pem\"\n"
      "max_redirects = 11\nalow = []",
      "f");
  ASSERT_EQ(loaded.problems.size(), 5U);
  EXPECT_TRUE(loaded.problems[0].text().starts_with("f:3:3: fetch.allow")) << loaded.problems[0].text();
}

}  // namespace
}  // namespace pixmilter::config
