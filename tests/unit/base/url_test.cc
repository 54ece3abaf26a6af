#include "base/url.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace pixmilter {
namespace {

std::string normal(std::string_view text) {
  const Result<Url> url = parse_url(text);
  return url ? url->text() : "refused: " + url.error().text;
}

TEST(Url, NormalForm) {
  const std::pair<const char*, const char*> table[] = {
      {"https://example.org", "https://example.org/"},
      {"HTTPS://Example.ORG/A", "https://example.org/A"},
      {"  https://example.org/a.png\r\n", "https://example.org/a.png"},
      {"https://example.org./a", "https://example.org/a"},
      {"https://example.org:443/a", "https://example.org/a"},
      {"https://example.org:/a", "https://example.org/a"},
      {"http://example.org:0080/a", "http://example.org/a"},
      {"http://example.org:443/a", "http://example.org:443/a"},
      {"https://example.org?x=1", "https://example.org/?x=1"},
      {"https://example.org/a#b?c", "https://example.org/a"},
      {"https://example.org/a?b#c", "https://example.org/a?b"},
      {"https://example.org/%61%2Db%2e%7e", "https://example.org/a-b.~"},
      {"https://example.org/a%2fb%c3%a4", "https://example.org/a%2Fb%C3%A4"},
      {"https://example.org/a b/\xC3\xA4", "https://example.org/a%20b/%C3%A4"},
      {"https://example.org/a/./b/../c", "https://example.org/a/c"},
      {"https://example.org/a/b/..", "https://example.org/a/"},
      {"https://example.org/a/.", "https://example.org/a/"},
      {"https://example.org/a/%2e%2E/b", "https://example.org/b"},
      {"https://example.org/../../a", "https://example.org/a"},
      {"https://example.org/a//b/", "https://example.org/a//b/"},
      {"https://example.org//a", "https://example.org//a"},
      {"https://example.org/...", "https://example.org/..."},
      {"https://example.org/a?b=../..&c=%2e", "https://example.org/a?b=../..&c=."},
      {"https://example.org/a?b=%0a", "https://example.org/a?b=%0A"},
      {"https://example.org/a?b=\"<x>", "https://example.org/a?b=%22%3Cx%3E"},
      {"https://example.org/100%25.png", "https://example.org/100%25.png"},
      {"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"},
      {"http://intranet/a", "http://intranet/a"},
      {"http://a_b.example.org/", "http://a_b.example.org/"},
      {"http://192.0.2.1/", "http://192.0.2.1/"},
      {"http://[2001:DB8:0:0::1]:81/", "http://[2001:db8::1]:81/"},
      {"http://[::ffff:7f00:1]/", "http://[::ffff:127.0.0.1]/"}};
  for (const auto& [text, expected] : table) {
    EXPECT_EQ(normal(text), expected) << text;
    EXPECT_EQ(normal(expected), expected) << "a normal form is its own";
  }
}

TEST(Url, Refused) {
  for (const char* text : {"",
                           "ftp://example.org/",
                           "file:///etc/passwd",
                           "gopher://example.org/",
                           "//example.org/a",
                           "/a",
                           "example.org/a",
                           "http",
                           "https",
                           "http:",
                           "http:/example.org",
                           "http:///example.org",
                           "http://",
                           "http:example.org",
                           "http:\\\\example.org\\",
                           "http://example.org\\@evil.example/",
                           "http://example.org\\.evil.example/",
                           "http://user@example.org/",
                           "http://user:password@example.org/",
                           "http://@example.org/",
                           "http://example.org@evil.example/",
                           "http://example.org:80@evil.example/",
                           "http://example.org%40evil.example/",
                           "http://example%2eorg/",
                           "http://ex%61mple.org/",
                           "http://example.org%00.evil.example/",
                           "http://example.org:0/",
                           "http://example.org:65536/",
                           "http://example.org:80a/",
                           "http://example.org:80:80/",
                           "http://example.org:-1/",
                           "http://example.org: 80/",
                           "http://exam ple.org/",
                           "http://exa\tmple.org/",
                           "http://example.org/a\nb",
                           "http://example.org/a\r\nHost: evil",
                           "http://example.org/a%0d%0aHost:%20evil",
                           "http://example.org/a%00b",
                           "http://example.org/a%250d",
                           "http://example..org/",
                           "http://.example.org/",
                           "http://example.org../",
                           "http://*/",
                           "http://*.example.org/",
                           "http://127\xE3\x80\x82"
                           "0.0.1/",
                           "http://\xEF\xBC\x91"
                           "27.0.0.1/",
                           "http://b\xC3\xBC"
                           "cher.example/",
                           "http://2130706433/",
                           "http://0x7f000001/",
                           "http://0x7f.1/",
                           "http://0x/",
                           "http://017700000001/",
                           "http://0177.0.0.1/",
                           "http://127.1/",
                           "http://127.0.1/",
                           "http://127.0.0.01/",
                           "http://127.0.0.1.2/",
                           "http://256.0.0.1/",
                           "http://example.1/",
                           "http://example.0x1/",
                           "http://1/",
                           "http://[::1/",
                           "http://::1/",
                           "http://[::1]a/",
                           "http://[::1%25eth0]/",
                           "http://[fe80::1%eth0]/",
                           "http://[127.0.0.1]/",
                           "http://[]/",
                           "http://[v1.a]/",
                           "http://example.org/a\\..\\b",
                           "http://example.org/a/..%2fb",
                           "http://example.org/a/..%5cb",
                           "http://example.org/a%2f..%2fb",
                           "http://example.org/a/%252e%252e/b",
                           "http://example.org/a/%25252e%25252e/b",
                           "http://example.org/a/..;/b",
                           "http://example.org/a/..;x=1/b",
                           "http://example.org/a/.;/b",
                           "http://example.org/%",
                           "http://example.org/%4",
                           "http://example.org/%zz",
                           "http://example.org/?a=%g1"})
    EXPECT_TRUE(normal(text).starts_with("refused: ")) << text << " -> " << normal(text);
}

TEST(Url, Sizes) {
  const std::string longest(Url::kMaxSize - std::string("https://example.org/").size(), 'a');
  EXPECT_TRUE(parse_url("https://example.org/" + longest));
  EXPECT_FALSE(parse_url("https://example.org/" + longest + "a"));
  EXPECT_FALSE(parse_url("https://example.org/ " + longest.substr(1))) << "longer with its escape";
  EXPECT_FALSE(parse_url("https://" + std::string(64, 'a') + ".org/"));
  EXPECT_TRUE(parse_url("https://" + std::string(63, 'a') + ".org/"));
}

TEST(Url, AddressOrName) {
  EXPECT_TRUE(parse_url("http://192.0.2.1/")->is_address());
  EXPECT_TRUE(parse_url("http://[::1]/")->is_address());
  EXPECT_FALSE(parse_url("http://192.0.2.1.example/")->is_address());
  EXPECT_FALSE(parse_url("http://intranet/")->is_address());
}

}  // namespace
}  // namespace pixmilter
