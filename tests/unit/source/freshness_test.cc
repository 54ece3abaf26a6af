#include "source/freshness.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pixmilter::source {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kNow = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::int64_t kForever = std::int64_t{1} << 31;

TEST(Freshness, HttpDates) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow), kNow);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow), kNow);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", kNow), kNow);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", kNow), kNow + 10 * 86'400);
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT", kNow), 0);
  EXPECT_EQ(parse_http_date("Tue, 29 Feb 2028 23:59:60 GMT", kNow), 1'835'481'600);
  for (const char* text :
       {"", "0", "-1", "never", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT x", "Sun Nov 6 08:49:37 1994", ",",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT"})
    EXPECT_FALSE(parse_http_date(text, kNow)) << text;
}

// RFC 9110, 5.6.7: one that would be more than 50 years ahead is in the past.
TEST(Freshness, YearsOfTwoDigits) {
  const auto is = [](const std::string& digits, const std::string& year, std::int64_t now) {
    return parse_http_date("Friday, 01-Jul-" + digits + " 00:00:00 GMT", now) ==
           parse_http_date("Fri, 01 Jul " + year + " 00:00:00 GMT", now);
  };
  EXPECT_TRUE(is("94", "1994", kNow));
  EXPECT_TRUE(is("44", "2044", kNow));
  EXPECT_TRUE(is("45", "1945", kNow));
  EXPECT_TRUE(is("00", "2000", kNow));
  const std::int64_t later = 1'800'000'000;  // 2027
  EXPECT_TRUE(is("27", "2027", later));
  EXPECT_TRUE(is("77", "2077", later));
  EXPECT_TRUE(is("78", "1978", later));
}

struct Case {
  Freshness freshness;
  bool storable;
  std::int64_t fresh;
};

Freshness with(const std::string& cache_control, const std::string& expires = {}, const std::string& age = {},
               const std::string& date = "Sun, 06 Nov 1994 08:49:37 GMT") {
  Freshness freshness;
  freshness.cache_control = cache_control;
  freshness.expires = expires;
  freshness.age = age;
  freshness.date = date;
  return freshness;
}

Freshness varying(const std::string& vary) {
  Freshness freshness = with("max-age=60");
  freshness.vary = vary;
  return freshness;
}

TEST(Freshness, Lifetimes) {
  const std::vector<Case> cases = {
      {with("max-age=60"), true, 60},
      {with("MAX-AGE = 60 , public"), true, 60},
      {with("max-age=\"60\""), true, 60},
      {with("private, max-age=60"), false, 0},
      {with("private=\"set-cookie\", max-age=60"), false, 0},
      {with("s-maxage=3600"), true, 3600},
      {with("s-maxage=3600, max-age=60"), true, 3600},
      {with("max-age=3600, s-maxage=0"), true, 0},
      {with("s-maxage=x, max-age=60"), true, 0},
      {with("max-age=0"), true, 0},
      {with("max-age=-1"), true, 0},
      {with("max-age=abc"), true, 0},
      {with("max-age="), true, 0},
      {with("max-age"), true, 0},
      {with("max-age=60, max-age=60"), true, 60},
      {with("max-age=60, max-age=70"), true, 0},
      {with("max-age=60, max-age=70, max-age=70"), true, 0},
      {with("max-age=99999999999999999999"), true, kForever},
      {with("no-cache, max-age=60"), true, 0},
      {with("no-cache=\"set-cookie, x\", max-age=60"), true, 0},
      {with("no-store"), false, 0},
      {with("max-age=60, No-Store"), false, 0},
      {with("x=\"no-store\", max-age=60"), true, 60},
      {with("x=\"a\\\"b, no-store\", max-age=60"), true, 60},
      {with("x=\"no end, max-age=60"), false, 0},
      {with(",,max-age=60,,"), true, 60},
      {with("max-age=60, " + std::string(500, 'x')), false, 0},
      {with(""), true, 0},
      {with("public"), true, 0},
      {with("stale-if-error=60, stale-while-revalidate=60"), true, 0},
      {with("", "Sun, 06 Nov 1994 08:50:37 GMT"), true, 60},
      {with("", "0"), true, 0},
      {with("", "Sun, 06 Nov 1994 08:48:37 GMT"), true, 0},
      {with("", "Sun, 06 Nov 1994 08:50:37 GMT, Sun, 06 Nov 1994 08:50:37 GMT"), true, 0},
      {with("max-age=10", "Sun, 06 Nov 1994 08:50:37 GMT"), true, 10},
      {with("max-age=60", "", "20"), true, 40},
      {with("max-age=60", "", "20, 1"), true, 40},
      {with("max-age=60", "", "100"), true, 0},
      {with("max-age=60", "", "99999999999999999999"), true, 0},
      {with("max-age=60", "", "x"), true, 60},
      // It was made half a minute before it came.
      {with("max-age=60", "", "", "Sun, 06 Nov 1994 08:49:07 GMT"), true, 30},
      {with("max-age=60", "", "20", "Sun, 06 Nov 1994 08:49:07 GMT"), true, 30},
      // Its clock is ahead of ours, or it has none.
      {with("max-age=60", "", "", "Sun, 06 Nov 1994 09:49:07 GMT"), true, 60},
      {with("max-age=60", "", "", ""), true, 60},
      {with("", "Sun, 06 Nov 1994 08:50:37 GMT", "", ""), true, 60},
      {varying("*"), false, 0},
      {varying("Accept-Encoding , *"), false, 0},
      {varying("Accept-Encoding, Accept"), true, 60},
      {varying(std::string(512, 'x')), false, 0},
  };
  for (const Case& each : cases) {
    const Lifetime lifetime = lifetime_of(each.freshness, false, kNow, seconds(0));
    const std::string what = each.freshness.cache_control + " / " + each.freshness.expires + " / " +
                             each.freshness.age + " / " + each.freshness.date + " / " + each.freshness.vary;
    EXPECT_EQ(lifetime.storable, each.storable) << what;
    EXPECT_EQ(lifetime.fresh.count(), each.fresh) << what;
  }
  EXPECT_EQ(lifetime_of(with("max-age=60"), false, kNow, seconds(5)).fresh, seconds(55));
}

// RFC 9111, 3.5: what our own header has opened is for others only where its server says so.
TEST(Freshness, PersonalRequests) {
  for (const char* control : {"", "max-age=60", "no-cache", "private, public"})
    EXPECT_FALSE(lifetime_of(with(control), true, kNow, seconds(0)).storable) << control;
  for (const char* control : {"public, max-age=60", "s-maxage=60", "must-revalidate, max-age=60"})
    EXPECT_EQ(lifetime_of(with(control), true, kNow, seconds(0)).fresh, seconds(60)) << control;
}

}  // namespace
}  // namespace pixmilter::source
