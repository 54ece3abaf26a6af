#include "milter/edits.h"

#include <gtest/gtest.h>

namespace pixmilter::milter {
namespace {

using mail::HeaderChange;
using Kind = HeaderChange::Kind;

std::string spelled(const std::vector<HeaderChange>& changes) {
  std::string text;
  for (const auto& change : changes) {
    text += change.kind == Kind::replace ? "=" : change.kind == Kind::remove ? "-" : "+";
    text += change.name + std::to_string(change.index) + change.value + ";";
  }
  return text;
}

TEST(Edits, OrderMeansTheSameToEveryMta) {
  const auto ordered = for_mta({{Kind::append, "Z", 0, " z"},
                                {Kind::remove, "A", 1, ""},
                                {Kind::remove, "A", 3, ""},
                                {Kind::replace, "A", 2, " two"},
                                {Kind::append, "Y", 0, " y"},
                                {Kind::remove, "B", 2, ""}},
                               true);
  ASSERT_TRUE(ordered);
  EXPECT_EQ(spelled(*ordered), "=A2 two;-A3;-B2;-A1;+Z0 z;+Y0 y;");
}

TEST(Edits, LeadingSpaceIsTheMtasWhereItAddsOne) {
  const std::vector<HeaderChange> changes = {
      {Kind::append, "A", 0, "  two"}, {Kind::append, "B", 0, "none"}, {Kind::append, "C", 0, "\ttab"}};
  EXPECT_EQ(spelled(*for_mta(changes, true)), "+A0  two;+B0none;+C0\ttab;");
  EXPECT_EQ(spelled(*for_mta(changes, false)), "+A0 two;+B0none;+C0\ttab;");
}

TEST(Edits, FoldsHaveLf) {
  EXPECT_EQ(spelled(*for_mta({{Kind::append, "A", 0, " a\r\n b\n\tc"}}, true)), "+A0 a\n b\n\tc;");
}

TEST(Edits, AnEmptyValueIsNoRemoval) {
  EXPECT_EQ(spelled(*for_mta({{Kind::replace, "A", 1, ""}}, true)), "=A1 ;");
  EXPECT_FALSE(for_mta({{Kind::replace, "A", 1, " "}}, false));
}

TEST(Edits, WhatCannotBeSaidIsAnError) {
  const std::vector<HeaderChange> unusable = {
      {Kind::append, "", 0, " a"},          {Kind::append, "A:", 0, " a"},
      {Kind::append, "A B", 0, " a"},       {Kind::append, "A", 0, " a\nInjected: b"},
      {Kind::append, "A", 0, " a\n"},       {Kind::append, "A", 0, " a\rb"},
      {Kind::append, "A", 0, {" a\0b", 4}}, {Kind::remove, "A", 0, ""},
      {Kind::replace, "A", -1, " a"},       {Kind::append, "A", 0, std::string(kMaxFrameBytes, 'a')},
      {Kind::append, "\xc3\xbc", 0, " a"},  {Kind::append, {"A\0", 2}, 0, " a"}};
  for (const auto& change : unusable)
    EXPECT_FALSE(for_mta({{Kind::append, "X", 0, " ok"}, change}, true))
        << change.name << "=" << change.value;
}

TEST(Edits, ReplyTextIsOneLineThatNobodyTakesForAFormat) {
  EXPECT_EQ(reply_text("no such thing", "x"), "no such thing");
  EXPECT_EQ(reply_text(" 100% %s\r\n250 OK\x01\xff ", "x"), "100%% %%s  250 OK");
  EXPECT_EQ(reply_text("", "fallback"), "fallback");
  EXPECT_EQ(reply_text(" \n", "fallback"), "fallback");
  EXPECT_LE(reply_text(std::string(5000, '%'), "x").size(), 980u);  // libmilter's MAXREPLYLEN
  EXPECT_EQ(reply_text(std::string(5000, '%'), "x").size() % 2, 0u);
}

}  // namespace
}  // namespace pixmilter::milter
