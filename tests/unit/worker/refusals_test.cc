// Pictures that end workers are refused for a while.
#include "worker/refusals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace pixmilter::worker {
namespace {

TEST(RefusalsTest, ASecondKillRefusesThatPictureOnly) {
  Refusals refusals(2, Milliseconds(60'000));
  EXPECT_FALSE(refusals.refused("a"));
  refusals.note("a");
  EXPECT_FALSE(refusals.refused("a"));
  refusals.note("a");
  EXPECT_TRUE(refusals.refused("a"));
  EXPECT_FALSE(refusals.refused("b"));
}

TEST(RefusalsTest, ItIsForgottenInTime) {
  Refusals refusals(1, Milliseconds(500));
  const Deadline until = Deadline::after(Milliseconds(500));
  refusals.note("a");
  const Deadline give_up = Deadline::after(Milliseconds(60'000));
  while (refusals.refused("a") && !give_up.passed()) ::usleep(5'000);
  // However long the machine lets us wait in between: not before its time, and then for good.
  EXPECT_TRUE(until.passed());
  EXPECT_FALSE(refusals.refused("a"));
}

TEST(RefusalsTest, AFloodStaysWithinBounds) {
  Refusals refusals(1, Milliseconds(60'000));
  for (int i = 0; i < 5'000; ++i) refusals.note(std::to_string(i));
  EXPECT_TRUE(refusals.refused("4999"));
  EXPECT_FALSE(refusals.refused("0"));
}

}  // namespace
}  // namespace pixmilter::worker
