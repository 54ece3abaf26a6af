#include "config/map_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace pixmilter::config {
namespace {

class MapFileTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "map_file_test-" + std::to_string(::getpid()) + ".map";
    write("a@example.org\n");
  }
  void TearDown() override { std::filesystem::remove(path_); }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  // Two questions after a time in which it is looked at again, and the lines of the log that they made.
  std::string log_of(const MapFile& map, bool contains) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(1050));
    testing::internal::CaptureStderr();
    EXPECT_EQ(map.contains("a@example.org"), contains);
    EXPECT_EQ(map.contains("a@example.org"), contains);
    return testing::internal::GetCapturedStderr();
  }

  std::string path_;
};

TEST_F(MapFileTest, OneThatGoesAwayKeepsWhatItHeldAndIsSaidOnce) {
  const MapFile map(path_);
  EXPECT_EQ(log_of(map, true), "");
  std::filesystem::remove(path_);
  const std::string said = log_of(map, true);
  EXPECT_NE(said.find("map file " + path_ + ": No such file or directory; what it held still counts"),
            std::string::npos)
      << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
  EXPECT_EQ(log_of(map, true), "");
  EXPECT_EQ(map.problem(), "");
  write("b@example.org\n");
  EXPECT_NE(log_of(map, false).find("map file " + path_ + " can be read again"), std::string::npos);
  std::filesystem::remove(path_);
  EXPECT_NE(log_of(map, false).find("what it held still counts"), std::string::npos);
}

TEST_F(MapFileTest, OneThatNeverWasThereIsEmptyUntilItIs) {
  std::filesystem::remove(path_);
  const MapFile map(path_);
  EXPECT_EQ(log_of(map, false), "");
  EXPECT_NE(map.problem(), "");
  write("a@example.org\n");
  EXPECT_EQ(log_of(map, true), "");
  EXPECT_EQ(map.problem(), "");
}

}  // namespace
}  // namespace pixmilter::config
