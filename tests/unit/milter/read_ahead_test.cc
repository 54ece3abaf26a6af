// Connections are socket pairs; libmilter's calls are made through the seams, as it makes them.
#include "milter/read_ahead.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <random>
#include <string>
#include <string_view>

extern "C" {
int pixmilter_seam_close(int);
int pixmilter_seam_poll(pollfd*, nfds_t, int);
ssize_t pixmilter_seam_read(int, void*, std::size_t);
}

namespace pixmilter::milter {
namespace {

class ReadAhead : public testing::Test {
 protected:
  void SetUp() override { connect(); }
  void TearDown() override {
    pixmilter_seam_close(ends_[0]);
    if (ends_[1] >= 0) ::close(ends_[1]);
  }

  void connect() {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0);
    read_ahead::opened(ends_[0]);
  }
  void say(std::string_view text) {
    ASSERT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    ::close(ends_[1]);
    ends_[1] = -1;
  }
  std::string heard(std::size_t size) {
    std::string text(size, '\0');
    const ssize_t got = pixmilter_seam_read(ends_[0], text.data(), size);
    if (got < 0) return "an error";
    text.resize(static_cast<std::size_t>(got));
    return text;
  }
  // What poll() says of it at once.
  int waiting() {
    pollfd asked{ends_[0], POLLIN, 0};
    return pixmilter_seam_poll(&asked, 1, 0) == 1 ? asked.revents : 0;
  }
  // Whether the system itself holds something of it.
  bool system_holds() {
    char byte = 0;
    return ::recv(ends_[0], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  }

  std::array<int, 2> ends_{-1, -1};
};

TEST_F(ReadAhead, TakesWhatHasComeAtOnce) {
  EXPECT_EQ(waiting(), 0);
  say("headbodyhead");
  EXPECT_EQ(waiting(), POLLIN);
  EXPECT_EQ(heard(4), "head");
  EXPECT_FALSE(system_holds());
  EXPECT_EQ(waiting(), POLLIN);
  EXPECT_EQ(heard(4), "body");
  say("more");
  EXPECT_EQ(heard(10), "head");  // what is left of the one read, as a socket gives what it has
  EXPECT_EQ(heard(10), "more");
  EXPECT_EQ(waiting(), 0);
}

TEST_F(ReadAhead, AsksTheSystemOnceForEachRead) {
  say("a");
  EXPECT_EQ(waiting(), POLLIN);
  EXPECT_TRUE(read_ahead::is_ready(ends_[0]));
  EXPECT_EQ(heard(1), "a");
  EXPECT_FALSE(read_ahead::is_ready(ends_[0]));
  EXPECT_EQ(waiting(), 0);
}

TEST_F(ReadAhead, WhatWasSaidBeforeHangingUpIsHeardAndThenTheEnd) {
  say("quit");
  say("quit");
  EXPECT_EQ(heard(4), "quit");
  hang_up();
  EXPECT_EQ(waiting(), POLLIN);
  EXPECT_EQ(heard(4), "quit");
  EXPECT_NE(waiting() & POLLHUP, 0);
  EXPECT_NE(waiting() & POLLHUP, 0);  // asked anew each time
  EXPECT_EQ(heard(4), "");
}

TEST_F(ReadAhead, ErrorsComeThrough) {
  ASSERT_EQ(::fcntl(ends_[0], F_SETFL, O_NONBLOCK), 0);
  char byte = 0;
  EXPECT_EQ(pixmilter_seam_read(ends_[0], &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(ReadAhead, AnotherConnectionOfThatNumberBeginsWithNothing) {
  say("of the first");
  EXPECT_EQ(heard(3), "of ");
  const int number = ends_[0];
  ASSERT_EQ(pixmilter_seam_close(ends_[0]), 0);
  ::close(ends_[1]);
  connect();
  ASSERT_EQ(ends_[0], number);
  EXPECT_EQ(waiting(), 0);
  say("second");
  EXPECT_EQ(heard(20), "second");
}

TEST_F(ReadAhead, WhatIsNoConnectionIsReadAsAsked) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  ASSERT_EQ(::write(pipe[1], "12", 2), 2);
  char byte = 0;
  EXPECT_EQ(pixmilter_seam_read(pipe[0], &byte, 1), 1);
  EXPECT_FALSE(read_ahead::is_ready(pipe[0]));
  EXPECT_EQ(::read(pipe[0], &byte, 1), 1);
  EXPECT_EQ(byte, '2');
  pixmilter_seam_close(pipe[0]);
  ::close(pipe[1]);
}

// As libmilter waits for several: each is asked of the system.
TEST_F(ReadAhead, SeveralAtOnce) {
  std::array<pollfd, 2> asked{{{ends_[0], POLLIN, 0}, {ends_[1], POLLIN, 0}}};
  EXPECT_EQ(pixmilter_seam_poll(asked.data(), 2, 0), 0);
  say("x");
  EXPECT_EQ(pixmilter_seam_poll(asked.data(), 2, 0), 1);
  EXPECT_EQ(asked[0].revents, POLLIN);
}

// Whatever comes in pieces of any size and is asked for in others arrives as it was.
TEST_F(ReadAhead, NothingIsLostOrDoubled) {
  std::mt19937 random(1);
  std::string sent, got;
  const auto size = [&] { return 1 + random() % (random() % 4 == 0 ? 3 * read_ahead::kMost : 40); };
  for (int round = 0; round < 20'000; ++round) {
    if (sent.size() - got.size() < 30'000 && random() % 2 == 0) {
      std::string piece(size(), '\0');
      for (char& c : piece) c = static_cast<char>(random());
      say(piece);
      sent += piece;
    } else if (got.size() < sent.size()) {
      ASSERT_EQ(waiting(), POLLIN);
      got += heard(size());
    } else {
      ASSERT_EQ(waiting(), 0);
    }
    ASSERT_EQ(got, sent.substr(0, got.size())) << "round " << round;
    // Keeps the comparison short.
    sent.erase(0, got.size());
    got.clear();
  }
}

}  // namespace
}  // namespace pixmilter::milter
