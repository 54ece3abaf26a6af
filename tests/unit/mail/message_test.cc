#include "mail/message.h"

#include <gtest/gtest.h>

namespace pixmilter::mail {
namespace {

TEST(Message, FindsFieldsFoldsAndBody) {
  const Message message("Subject: one\r\n two\r\nX-Empty:\r\nTo : a\r\n\r\nbody\r\n");
  ASSERT_EQ(message.fields().size(), 3u);
  EXPECT_EQ(message.fields()[0].name, "Subject");
  EXPECT_EQ(message.fields()[0].raw_value, " one\r\n two");
  EXPECT_EQ(message.fields()[1].raw_value, "");
  EXPECT_EQ(message.fields()[2].name, "To");
  EXPECT_EQ(message.fields()[2].raw_value, " a");
  EXPECT_EQ(message.body(), "body\r\n");
  EXPECT_EQ(message.eol(), "\r\n");
  EXPECT_FALSE(message.malformed_header());
  EXPECT_EQ(message.count("subject"), 1u);
  EXPECT_EQ(message.find("SUBJECT"), &message.fields()[0]);
  EXPECT_EQ(message.find("Cc"), nullptr);
}

TEST(Message, LfLinesAndMboxLine) {
  const Message message("From a@b Mon\nA: 1\n\nx\n");
  EXPECT_EQ(message.eol(), "\n");
  EXPECT_EQ(message.header_begin(), 13u);
  ASSERT_EQ(message.fields().size(), 1u);
  EXPECT_EQ(message.body(), "x\n");
}

TEST(Message, OddShapesAreTakenAndTold) {
  EXPECT_TRUE(Message("").fields().empty());
  EXPECT_FALSE(Message("").malformed_header());
  EXPECT_TRUE(Message("no header at all\n").malformed_header());
  EXPECT_TRUE(Message(" continuation first: x\n\n").malformed_header());
  EXPECT_TRUE(Message("A: 1\n \nB: 2\n\n").malformed_header());
  EXPECT_TRUE(Message("A: 1\nnot a field\n\n").malformed_header());
  const Message header_only("A: 1\nB: 2");
  EXPECT_EQ(header_only.fields().size(), 2u);
  EXPECT_FALSE(header_only.has_blank_line());
  EXPECT_EQ(header_only.body(), "");
  EXPECT_EQ(Message("\nbody").body(), "body");
}

TEST(MessageBuilder, KeepsValuesAndMakesLineEndsAlike) {
  MessageBuilder builder;
  builder.add_header("A", " one\n\ttwo");
  builder.add_header("B", "tight");
  builder.add_header("C", "  two spaces\r\n x");
  builder.end_headers();
  builder.add_body("body");
  builder.add_body("\r\n");
  EXPECT_EQ(builder.take(), "A: one\r\n\ttwo\r\nB:tight\r\nC:  two spaces\r\n x\r\n\r\nbody\r\n");
  EXPECT_EQ(builder.size(), 0u);
}

}  // namespace
}  // namespace pixmilter::mail
