#include "core/look_ahead.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "mail/mime_tree.h"

namespace pixmilter::core {
namespace {

bool holds(const std::string& text, const Plan& plan = {}) {
  const mail::Message message(text);
  return may_hold_pictures(message, plan);
}

std::string with_part(const std::string& header) {
  return "From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
         "boundary=b\r\n\r\n--b\r\n" +
         header + "\r\n\r\nx: y\r\n--b--\r\n";
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

TEST(LookAhead, OctetsAreSeenWhereRulesMayNameThem) {
  Plan plan;
  const std::vector<config::ImageRule> rules(1);
  plan.images.push_back(&rules);
  EXPECT_TRUE(holds(with_part("Content-Type: application/octet-stream"), plan));
  EXPECT_FALSE(holds(with_part("Content-Type: application/pdf"), plan));
}

bool is_looked_at(const mail::Part& part) {
  return part.type == "text/html" || part.type.starts_with("image/") || part.type == "application/x-npy" ||
         part.type == "message/external-body";
}

// The messages of tests/mail, with pieces of them changed at random: where the scan sees nothing, the parser
// finds no part that is looked at.
TEST(LookAhead, SeesNothingOnlyWhereTheParserFindsNothing) {
  mail::initialise_mime();
  std::vector<std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator("tests/mail")) {
    std::ifstream file(entry.path() / "in.eml", std::ios::binary);
    if (file) texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
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
                                                 "=?"};
  std::mt19937 random(1);
  std::size_t quiet = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = texts[random() % texts.size()].substr(0, 20'000);
    for (std::size_t i = random() % 6; i > 0; --i) {
      const std::string_view piece = kPieces[random() % std::size(kPieces)];
      // Mostly where it may matter: after one of these.
      const std::string_view near = kPieces[random() % 6];
      std::size_t at = text.find(near, random() % (text.size() + 1));
      if (at == std::string::npos) at = random() % (text.size() + 1);
      text.replace(at, std::min<std::size_t>(random() % 12, text.size() - at), piece);
    }
    const mail::Message message(text);
    if (may_hold_pictures(message, {})) continue;
    ++quiet;
    const Result<mail::MimeTree> tree = mail::MimeTree::parse(message);
    if (!tree) continue;
    for (const mail::Part& part : tree->parts())
      ASSERT_FALSE(is_looked_at(part)) << part.type << "\n" << text;
  }
  EXPECT_GT(quiet, 20u);
}

}  // namespace
}  // namespace pixmilter::core
