// The reading of a message without GMime: where it says something, GMime says the same.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "../../lib/mail_cases.h"
#include "mail/gmime_door.h"
#include "mail/mime_tree.h"

namespace pixmilter::mail {
namespace {

bool same(Span a, Span b) { return a.begin == b.begin && a.end == b.end; }

void expect_same(const Part& plain, const Part& full, const std::string& text) {
  ASSERT_EQ(plain.type, full.type) << text;
  ASSERT_EQ(plain.has_type, full.has_type) << text;
  ASSERT_EQ(plain.parent, full.parent) << text;
  ASSERT_EQ(plain.children, full.children) << text;
  ASSERT_EQ(plain.boundary, full.boundary) << text;
  ASSERT_EQ(plain.encoding, full.encoding) << text;
  ASSERT_EQ(plain.disposition, full.disposition) << text;
  ASSERT_EQ(plain.content_id, full.content_id) << text;
  // GMime tells it of parts that hold bytes alone.
  if (!full.description.empty()) {
    ASSERT_EQ(plain.description, full.description) << text;
  }
  ASSERT_TRUE(same(plain.header, full.header) && same(plain.body, full.body)) << text;
  ASSERT_EQ(plain.delimiters.size(), full.delimiters.size()) << text;
  for (std::size_t i = 0; i < plain.delimiters.size(); ++i)
    ASSERT_TRUE(same(plain.delimiters[i], full.delimiters[i])) << text;
}

// What parse() does not ask it: whether GMime finds the same one text.
void expect_one_text(const Message& message, const Part& part) {
  const Result<GMimeNode> node =
      parse_with_gmime(std::string_view(message.bytes()).substr(message.header_begin()));
  ASSERT_TRUE(node) << message.bytes();
  ASSERT_FALSE(node->is_multipart) << message.bytes();
  ASSERT_EQ(node->type, part.type) << message.bytes();
  ASSERT_EQ(node->parameters, part.parameters) << message.bytes();
  ASSERT_EQ(node->disposition, part.disposition) << message.bytes();
  ASSERT_EQ(node->content_id, part.content_id) << message.bytes();
  if (part.body.size() == 0) return;
  ASSERT_EQ(node->content_begin + static_cast<std::int64_t>(message.header_begin()),
            static_cast<std::int64_t>(part.body.begin))
      << message.bytes();
}

class PlainTree : public testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_mime(); }
};

TEST_F(PlainTree, IsNearlyAlwaysEnoughForWhatIsMade) {
  const std::vector<std::string> texts = tests::mail_cases("out.eml");
  if (texts.empty()) GTEST_SKIP() << "tests/mail is not beneath this folder";
  std::size_t readable = 0, enough = 0;
  for (const std::string& text : texts) {
    const Message message(text);
    if (!MimeTree::parse(message)) continue;
    ++readable;
    enough += MimeTree::parse_plain(message).ok();
  }
  EXPECT_GE(enough * 20, readable * 19) << enough << " of " << readable;
}

// With pieces of them changed at random, mostly in headers.
TEST_F(PlainTree, SaysWhatGMimeSays) {
  std::vector<std::string> texts = tests::mail_cases("in.eml");
  for (std::string& text : tests::mail_cases("out.eml")) texts.push_back(std::move(text));
  if (texts.empty()) GTEST_SKIP() << "tests/mail is not beneath this folder";
  static constexpr std::string_view kPieces[] = {"Content-Type: ",
                                                 "Content-ID: ",
                                                 "Content-Disposition: ",
                                                 "Content-Transfer-Encoding: ",
                                                 "Content-Description: ",
                                                 "--",
                                                 ":",
                                                 "text/html",
                                                 "image/png",
                                                 "image/",
                                                 "/",
                                                 "\n",
                                                 "\r\n",
                                                 " ",
                                                 "\t",
                                                 "\n ",
                                                 "\r\n\t",
                                                 ";",
                                                 "(",
                                                 ")",
                                                 "\"",
                                                 "\\",
                                                 "<",
                                                 ">",
                                                 "@",
                                                 "a@b",
                                                 "<a@b>",
                                                 "<a@b> (c)",
                                                 "<\"a b\"@c>",
                                                 "inline",
                                                 "attachment",
                                                 "inline; filename=x.png",
                                                 "multipart/mixed; boundary=b",
                                                 "multipart/digest; boundary=b",
                                                 "message/rfc822",
                                                 "\r\n--b\r\n",
                                                 "\n--b\n",
                                                 "=?utf-8?q?a?=",
                                                 "name*=utf-8''%41",
                                                 "name=\"=?utf-8?q?a?=\"",
                                                 "\xC3\xBC",
                                                 "a  b",
                                                 "base64",
                                                 "BASE64",
                                                 "quoted-printable (x)",
                                                 "\r\n\r\n"};
  std::mt19937 random(2);
  std::size_t both = 0, texts_alone = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = texts[random() % texts.size()];
    if (text.size() > 30'000) continue;
    tests::change_at_random(text, kPieces, random() % 5, true, random);
    const Message message(text);
    const Result<MimeTree> plain = MimeTree::parse_plain(message);
    if (!plain) continue;
    const Result<MimeTree> full = MimeTree::parse(message);
    if (!full) continue;
    ++both;
    ASSERT_EQ(plain->size(), full->size()) << text;
    if (plain->size() == 1 && (*plain)[0].type.starts_with("text/")) {
      ++texts_alone;
      ASSERT_NO_FATAL_FAILURE(expect_one_text(message, (*full)[0]));
    }
    for (std::size_t i = 0; i < plain->size(); ++i)
      ASSERT_NO_FATAL_FAILURE(expect_same((*plain)[i], (*full)[i], text));
  }
  EXPECT_GT(both, 5'000u);
  EXPECT_GT(texts_alone, 1'000u);
}

TEST_F(PlainTree, LeavesToGMimeWhatNeedsAReading) {
  const auto reads = [](const std::string& fields) {
    return MimeTree::parse_plain(Message("From: a@example.org\r\n" + fields + "\r\n\r\nx\r\n")).ok();
  };
  EXPECT_TRUE(reads("Content-Type: image/png; name=\"x.png\"\r\nContent-ID: <1.a@example.org>"));
  EXPECT_TRUE(reads("Content-Type: text/plain;\r\n\tcharset=utf-8;"));
  EXPECT_TRUE(reads("Content-Type: image/png; name=\"x (1).png\""));
  EXPECT_FALSE(reads("Content-Type: text/plain; charset"));
  EXPECT_FALSE(reads("Content-Type: text/plain; charset=utf-8 (Unicode)"));
  EXPECT_FALSE(reads("Content-Type: text/plain; charset=utf-8; (x)"));
  EXPECT_FALSE(reads("Content-Type: text/plain (x)"));
  EXPECT_FALSE(reads("Content-Type: text/plain; charset=a; charset=b"));
  EXPECT_FALSE(reads("Content-Type: text/plain; name=\"=?utf-8?q?a?=\""));
  EXPECT_FALSE(reads("Content-ID: <a b@example.org>"));
  EXPECT_FALSE(reads("Content-ID: <a@b@example.org>"));
  EXPECT_FALSE(reads("Content-ID: a@example.org"));
  EXPECT_FALSE(reads("Content-ID: <a=?utf-8?q?b?=c@example.org>"));
  EXPECT_FALSE(reads("Content-Disposition: (x) inline"));
  EXPECT_FALSE(reads("Content-Description: =?utf-8?q?a?="));
  EXPECT_FALSE(reads("Content-Description: two\r\n lines"));
  EXPECT_FALSE(MimeTree::parse_plain(
      Message("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b\r\n\r\n--b--\r\n")));
}

}  // namespace
}  // namespace pixmilter::mail
