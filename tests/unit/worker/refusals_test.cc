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
  Refusals refusals(1, Milliseconds(30));
  refusals.note("a");
  EXPECT_TRUE(refusals.refused("a"));
  ::usleep(40'000);
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
