#include "worker/pace.h"

#include <gtest/gtest.h>

namespace pixmilter::worker {
namespace {

using std::chrono::seconds;

class PaceTest : public testing::Test {
 protected:
  // Whether the next picture hurries so long after the beginning, with so many pictures of this size left.
  bool hurries(int after, std::size_t pictures, std::size_t bytes = 1000, std::size_t workers = 1) const {
    Pace::Left left;
    for (std::size_t i = 0; i < pictures; ++i) left.add(bytes);
    return pace_.hurries(began_ + seconds(after), left, workers);
  }
  const Clock::time_point began_{};
  Pace pace_{began_, Deadline(began_ + seconds(40))};
};

TEST_F(PaceTest, HurriesInTheLastQuarter) {
  EXPECT_FALSE(hurries(0, 250));
  EXPECT_FALSE(hurries(29, 1));
  EXPECT_TRUE(hurries(30, 1));
  EXPECT_TRUE(hurries(50, 1));
}

TEST_F(PaceTest, HurriesWhenWhatIsLeftWouldNotBeReady) {
  pace_.took(seconds(2), 1000);
  EXPECT_FALSE(hurries(2, 13));
  EXPECT_TRUE(hurries(2, 14));
  EXPECT_FALSE(hurries(2, 14, 1000, 2));
  EXPECT_TRUE(hurries(2, 28, 1000, 2));
  pace_.took(seconds(0), 1000);
  EXPECT_FALSE(hurries(2, 14));
}

TEST_F(PaceTest, OneLargePictureSaysLittleOfManySmallOnes) {
  pace_.took(seconds(10), 50 << 20);
  EXPECT_FALSE(hurries(10, 249));
  EXPECT_TRUE(hurries(10, 2, 50 << 20));
}

TEST_F(PaceTest, OneSlowSmallPictureSaysLittleOfALargeOne) {
  pace_.took(seconds(5), 1000);
  EXPECT_FALSE(hurries(5, 1, 50 << 20));
  EXPECT_TRUE(hurries(5, 5, 50 << 20));
}

TEST_F(PaceTest, NeverHurriesWithoutADeadline) {
  Pace pace(began_, Deadline());
  pace.took(std::chrono::hours(1), 1000);
  Pace::Left left;
  for (int i = 0; i < 1000; ++i) left.add(1000);
  EXPECT_FALSE(pace.hurries(began_ + seconds(40), left, 1));
}

}  // namespace
}  // namespace pixmilter::worker
