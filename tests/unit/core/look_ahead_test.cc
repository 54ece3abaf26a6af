#include "core/look_ahead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>

#include "../../lib/mail_cases.h"
#include "core/find.h"
#include "core/policy.h"
#include "core/work.h"
#include "mail/mime_tree.h"

namespace pixmilter::core {
namespace {

bool holds(const std::string& text, const Plan& plan = {}) {
  const mail::Message message(text);
  return may_hold_pictures(message, plan, false);
}

std::string with_part(const std::string& header) {
  return "From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
         "boundary=b\r\n\r\n--b\r\n" +
         header + "\r\n\r\nx: <img src='data:y'>\r\n--b--\r\n";
}

TEST(LookAhead, TextAndFilesAreDoneAfterOneScan) {
  EXPECT_FALSE(holds(with_part("Content-Type: text/plain")));
  EXPECT_FALSE(holds(with_part("Content-Type: application/pdf; name=\"a.pdf\"")));
  EXPECT_FALSE(holds(with_part("Content-Type: application/octet-stream")));
  EXPECT_FALSE(holds(with_part("X-Note: image/tiff and text/html")));
  EXPECT_FALSE(holds("Subject: no body"));
  EXPECT_FALSE(holds("Content-Type:"));
}

TEST(LookAhead, WhateverMayBeAPictureIsSeen) {
  for (const char* header :
       {"Content-Type: text/html", "content-TYPE:text/HTML", "Content-Type \t: image/tiff",
        "Content-Type: text/\r\n html", "Content-Type:\r\n\t(a comment)\r\n application/x-npy",
        "Content-Type: message/external-body; access-type=URL",
        "Content-Type: =?utf-8?q?text=2Fh=74ml?=", "X: y\r\nContent-Type: image/x-raw-pixels; width=1"})
    EXPECT_TRUE(holds(with_part(header))) << header;
}

std::string with_html(const std::string& more, const std::string& body) {
  return "MIME-Version: 1.0\r\nContent-Type: text/html" + more + "\r\n\r\n" + body + "\r\n";
}

TEST(LookAhead, HtmlIsSeenWhereItCouldNameAPicture) {
  const std::string qp = "\r\nContent-Transfer-Encoding: quoted-printable";
  const std::string plain =
      "<p style=\"color:red\">Data&nbsp;&#8217;<img src=\"https://example.org/a.png\"></p>";
  EXPECT_FALSE(holds(with_html("", plain)));
  EXPECT_FALSE(holds(with_html("; charset=utf-8" + qp, plain)));
  EXPECT_FALSE(holds(with_html("; charset=\"ISO-8859-1\"", plain)));
  EXPECT_FALSE(holds(with_html("", "<img src=\"cid:a\">")));
  EXPECT_TRUE(may_hold_pictures(mail::Message(with_html("", plain)), {}, true));
  EXPECT_TRUE(holds(with_html("; charset=utf-16", plain)));
  EXPECT_TRUE(holds(with_html("\r\nContent-Transfer-Encoding: base64", "PHA+")));
  EXPECT_TRUE(holds(with_html("", "<img src='data:image/png,'>")));
  EXPECT_TRUE(holds(with_html("", "<IMG SRC=DATA:x>")));
  EXPECT_TRUE(holds(with_html("", "<img src=asset:x>")));
  EXPECT_TRUE(holds(with_html(qp, "<img src=3D=64ata=\r\n:x>")));
  EXPECT_TRUE(holds(with_html(qp, "<s=\r\nvg>")));
}

TEST(LookAhead, OctetsAreSeenWhereRulesMayNameThem) {
  Plan plan;
  const std::vector<config::ImageRule> rules(1);
  plan.images.push_back(&rules);
  EXPECT_TRUE(holds(with_part("Content-Type: application/octet-stream"), plan));
  EXPECT_FALSE(holds(with_part("Content-Type: application/pdf"), plan));
}

TEST(LookAhead, NoTypeAtAllIsReadAsOctets) {
  const auto holds_named = [](std::string_view type) {
    return holds(
        "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n"
        "<img src='cid:p@x'>\n--b\nContent-Type:" +
        std::string(type) + "\nContent-ID: <p@x>\n\nx\n--b--\n");
  };
  for (const std::string_view type :
       {" application/octet-stream", " ; charset=utf-16/png", "", " png", " /png", " x/", " (x)"})
    EXPECT_TRUE(holds_named(type)) << type;
  for (const std::string_view type : {" application/pdf", "\r\n\ttext/x.y+z; a=b", " text/plain"})
    EXPECT_FALSE(holds_named(type)) << type;
}

// Whether the passes after the parse find nothing in it.
bool is_quiet(const mail::Message& message) {
  const Result<mail::MimeTree> tree = mail::MimeTree::parse(message);
  if (!tree) return true;
  const Plan plan;
  Work work(message, *tree, plan);
  find(work, protected_parts(*tree));
  for (const HtmlText& text : work.texts)
    if (!text.scan.removals.empty() || text.scan.skipped > 0) return false;
  return std::all_of(work.findings.begin(), work.findings.end(),
                     [](const Finding& finding) { return finding.silent; });
}

// The messages of tests/mail, with pieces of them changed at random: where the scan sees nothing, parsing
// finds nothing to do.
TEST(LookAhead, SeesNothingOnlyWhereTheParserFindsNothing) {
  mail::initialise_mime();
  const std::vector<std::string> texts = tests::mail_cases("in.eml");
  if (texts.empty()) GTEST_SKIP() << "tests/mail is not beneath this folder";
  static constexpr std::string_view kPieces[] = {"Content-Type",
                                                 ":",
                                                 "text/html",
                                                 "text/plain",
                                                 "image/png",
                                                 "image/",
                                                 "/",
                                                 "\n",
                                                 "\r\n",
                                                 " ",
                                                 "\t",
                                                 "\n ",
                                                 ";",
                                                 "(",
                                                 ")",
                                                 "\"",
                                                 "multipart/mixed; boundary=b",
                                                 "\n--b\n",
                                                 "html",
                                                 "=?",
                                                 "Content-Transfer-Encoding: quoted-printable\n",
                                                 "Content-Transfer-Encoding: base64\n",
                                                 "; charset=utf-16",
                                                 "<img src='",
                                                 "data:,",
                                                 "=\n",
                                                 "=3D",
                                                 "&#100;",
                                                 "\n\n"};
  std::mt19937 random(1);
  std::size_t quiet = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = texts[random() % texts.size()].substr(0, 20'000);
    tests::change_at_random(text, kPieces, random() % 6, false, random);
    const mail::Message message(text);
    if (may_hold_pictures(message, {}, false)) continue;
    ++quiet;
    ASSERT_TRUE(is_quiet(message)) << text;
  }
  EXPECT_GT(quiet, 20u);
}

}  // namespace
}  // namespace pixmilter::core
