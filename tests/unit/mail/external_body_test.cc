// Parts that stand for bytes that lie elsewhere: what they say, and what they cannot say.
#include "mail/external_body.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "mail/header_text.h"

namespace pixmilter::mail {
namespace {

class ExternalBodyTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_mime(); }

  // The first part of a mixed message, or the message itself where it is none.
  static Result<ExternalBody> read(const std::string& parameters, const std::string& inner,
                                   const std::string& more = {}) {
    static std::deque<Message> kept;
    const Message& message = kept.emplace_back(
        "From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n"
        "Content-Type: message/external-body" +
        parameters + "\n" + more + "\n" + inner + "\n--x--\n");
    const Result<MimeTree> tree = MimeTree::parse(message);
    if (!tree) return tree.error();
    return read_external_body(message, (*tree)[1]);
  }
};

TEST_F(ExternalBodyTest, ReadsALocalFile) {
  const auto external = read(
      "; access-type=LOCAL-FILE; name=\"chart.svg\"; site=\"*.example.org\";\n expiration=\"Fri, 14 Jun 1991 "
      "19:13:14 -0400 (EDT)\"",
      "Content-Type: image/svg+xml; name=c.svg\nContent-ID: <chart@example.org>\n"
      "Content-Description: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\nContent-Disposition: inline;\n filename=d.svg\n\n"
      "THIS IS NOT REALLY THE BODY!\n");
  ASSERT_TRUE(external) << external.error().text;
  EXPECT_EQ(external->access_type, "local-file");
  EXPECT_EQ(external->name, "chart.svg");
  EXPECT_EQ(external->site, "*.example.org");
  EXPECT_EQ(date(external->expiration), 676941194);
  EXPECT_EQ(external->inner.type, "image/svg+xml");
  EXPECT_EQ(external->inner.content_id, "chart@example.org");
  EXPECT_EQ(external->inner.disposition, "inline");
  EXPECT_EQ(external->inner.filename, "d.svg");
  EXPECT_EQ(external->inner.description,
            "Gr\xC3\xB6\xC3\x9F"
            "e");
  EXPECT_EQ(external->inner.fields.size(), 4u);
}

TEST_F(ExternalBodyTest, ReadsAUrlHoweverItIsFolded) {
  const auto external = read("; access-type=URL;\n URL=\"https://www.example.org/\n  a/b\n\tc.png\"",
                             "Content-Type: image/png\n");
  ASSERT_TRUE(external) << external.error().text;
  EXPECT_EQ(external->access_type, "url");
  EXPECT_EQ(external->url, "https://www.example.org/a/bc.png");
  const auto sections =
      read("; access-type=URL; URL*0=\"https://a/\"; URL*1=\"b.png\"", "Content-Type: image/png\n");
  ASSERT_TRUE(sections) << sections.error().text;
  EXPECT_EQ(sections->url, "https://a/b.png");
}

TEST_F(ExternalBodyTest, PassesOverComments) {
  const auto external = read(
      " (far away); access-type=local-file (here); (the) directory = \"a (1)\" (of 2);\n name=chart.svg "
      "(last week's); "
      "site (who) =localhost",
      "Content-Type: image/svg+xml\n");
  ASSERT_TRUE(external) << external.error().text;
  EXPECT_EQ(external->access_type, "local-file");
  EXPECT_EQ(external->name, "a (1)/chart.svg");
  EXPECT_EQ(external->site, "localhost");
}

TEST_F(ExternalBodyTest, JoinsADirectory) {
  EXPECT_EQ(
      read("; access-type=local-file; name=c.svg; directory=\"a/b\"", "Content-Type: image/png\n")->name,
      "a/b/c.svg");
  EXPECT_EQ(read("; access-type=local-file; name=c.svg; directory=\"a/\"", "Content-Type: image/png\n")->name,
            "a/c.svg");
}

TEST_F(ExternalBodyTest, TakesAHeaderWithoutItsBlankLine) {
  const auto external =
      read("; access-type=local-file; name=a.png", "Content-Type: image/png\nContent-ID: <x@y>");
  ASSERT_TRUE(external) << external.error().text;
  EXPECT_EQ(external->inner.content_id, "x@y");
}

TEST_F(ExternalBodyTest, RefusesWhatTwoReadersCouldTakeInTwoWays) {
  const std::string inner = "Content-Type: image/png\n";
  EXPECT_FALSE(read("; access-type=local-file; name=a; name=b", inner));
  EXPECT_FALSE(read("; access-type=local-file; name=a; NAME*=utf-8''b", inner));
  EXPECT_FALSE(read("; access-type=local-file; name=a; name*0=b", inner));
  EXPECT_FALSE(read("; access-type=local-file; access-type=URL; name=a; URL=b", inner));
  EXPECT_FALSE(read("; access-type=local-file name=a", inner));
  EXPECT_FALSE(read("; access-type=local-file; name=a", inner + "Content-Type: text/plain\n"));
  EXPECT_FALSE(read("; access-type=local-file; name=a", inner + "Content-ID: <a@b>\nContent-ID: <c@d>\n"));
  EXPECT_FALSE(read("; access-type=local-file; name=a", "no header\n"));
  EXPECT_FALSE(read("; access-type=local-file; name=a", inner + "no header\n"));
  EXPECT_FALSE(read("; access-type=local-file; name=a", ""));
  EXPECT_FALSE(read("; access-type=local-file; name=a", inner, "Content-Transfer-Encoding: base64\n"));
  EXPECT_FALSE(read("; access-type=local-file", inner));
  EXPECT_FALSE(read("; access-type=URL", inner));
}

TEST(Date, OfRfc5322) {
  EXPECT_EQ(date("Thu, 1 Jan 1970 00:00:01 +0000"), 1);
  EXPECT_EQ(date(" 1 Jan 70 01:00 +0100 (CET)"), 0);
  EXPECT_EQ(date("soon"), std::nullopt);
  EXPECT_EQ(date(""), std::nullopt);
}

}  // namespace
}  // namespace pixmilter::mail
