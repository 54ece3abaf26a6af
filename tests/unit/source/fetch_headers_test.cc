#include "source/fetch_headers.h"

#include <gtest/gtest.h>

namespace pixmilter::source {
namespace {

TEST(FetchHeaders, Lines) {
  const auto headers = parse_host_headers(
      "# a comment\n\n"
      "Grafana.Example.ORG Authorization: Bearer a:b c\r\n"
      "\thttp://intranet:8080\tX-Token:abc  \n"
      "https://[::1] X: 1");
  ASSERT_TRUE(headers) << headers.error().text;
  ASSERT_EQ(headers->size(), 3U);
  EXPECT_EQ((*headers)[0].field, "Authorization: Bearer a:b c");
  EXPECT_EQ((*headers)[1].field, "X-Token: abc");
  const auto belongs = [&](std::size_t number, const char* url) {
    return (*headers)[number].belongs_to(*parse_url(url));
  };
  EXPECT_TRUE(belongs(0, "https://grafana.example.org./x"));
  EXPECT_FALSE(belongs(0, "http://grafana.example.org/x")) << "not in the clear";
  EXPECT_FALSE(belongs(0, "https://grafana.example.org:8443/x"));
  EXPECT_FALSE(belongs(0, "https://a.grafana.example.org/x"));
  EXPECT_TRUE(belongs(1, "http://intranet:8080/"));
  EXPECT_FALSE(belongs(1, "http://intranet/"));
  EXPECT_TRUE(belongs(2, "https://[0::1]/"));
}

TEST(FetchHeaders, WhatIsWrongIsNamedWithoutItsValue) {
  for (const char* line :
       {"example.org", "example.org Authorization", "example.org : s3cret", "example.org X Y: s3cret",
        "example.org X:", "example.org Host: s3cret", "example.org content-length: 1",
        "example.org X: s3cret\x01", "example.org X: s3cret\rY: z", "example.org/a X: s3cret",
        "example.org?a X: s3cret", "user@example.org X: s3cret", "ftp://example.org X: s3cret",
        "*.example.org X: s3cret", "example.org:0 X: s3cret"}) {
    const auto headers = parse_host_headers(std::string("\n") + line + "\n");
    ASSERT_FALSE(headers) << line;
    EXPECT_TRUE(headers.error().text.starts_with("line 2: ")) << headers.error().text;
    EXPECT_EQ(headers.error().text.find("s3cret"), std::string::npos);
  }
}

}  // namespace
}  // namespace pixmilter::source
