#include "mail/edit.h"

#include <gtest/gtest.h>

namespace pixmilter::mail {
namespace {

TEST(EditList, AppliesInAnyOrder) {
  EditList edits;
  edits.replace(6, 11, "there");
  edits.insert(0, "> ");
  edits.remove(5, 6);
  EXPECT_EQ(*edits.apply("hello world"), "> hellothere");
}

TEST(EditList, InsertionsComeBeforeTheReplacementAtTheirPlaceInOrder) {
  EditList edits;
  edits.replace(1, 2, "X");
  edits.insert(1, "a");
  edits.insert(1, "b");
  EXPECT_EQ(*edits.apply("123"), "1abX3");
}

TEST(EditList, GivesTheTailFromBegin) {
  EditList edits;
  edits.insert(3, "!");
  EXPECT_EQ(*edits.apply("abcdef", 2), "c!def");
  EXPECT_FALSE(edits.apply("abcdef", 4));
}

TEST(EditList, RefusesOverlapsAndWhatLiesOutside) {
  EditList overlap;
  overlap.replace(0, 3, "");
  overlap.replace(2, 4, "");
  EXPECT_FALSE(overlap.apply("abcdef"));
  EditList outside;
  outside.replace(5, 7, "");
  EXPECT_FALSE(outside.apply("abcdef"));
  EditList inside;
  inside.insert(2, "x");
  inside.replace(1, 4, "");
  EXPECT_FALSE(inside.apply("abcdef"));
}

}  // namespace
}  // namespace pixmilter::mail
