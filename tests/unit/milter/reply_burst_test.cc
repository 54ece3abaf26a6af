// Connections are socket pairs; what libmilter would write is written through the seams, as it writes it.
#include "milter/reply_burst.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <thread>

extern "C" {
int pixmilter_seam_close(int);
int pixmilter_seam_poll(pollfd*, nfds_t, int);
ssize_t pixmilter_seam_writev(int, const iovec*, int);
}

namespace pixmilter::milter {
namespace {

using reply_burst::kMost;

class ReplyBurst : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0); }
  void TearDown() override {
    reply_burst::end();
    pixmilter_seam_close(ends_[0]);
    if (ends_[1] >= 0) ::close(ends_[1]);
  }

  // As retry_writev() of libmilter/comm.c.
  bool write(std::string head, std::string body, int timeout = 10'000) {
    std::array<iovec, 2> pieces{{{head.data(), head.size()}, {body.data(), body.size()}}};
    std::size_t first = 0;
    for (;;) {
      while (first < pieces.size() && pieces[first].iov_len == 0) ++first;
      if (first == pieces.size()) return true;
      pollfd asked{ends_[0], POLLOUT, 0};
      if (pixmilter_seam_poll(&asked, 1, timeout) != 1) return false;
      ssize_t written =
          pixmilter_seam_writev(ends_[0], &pieces[first], static_cast<int>(pieces.size() - first));
      if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
      for (std::size_t i = first; i < pieces.size() && written > 0; ++i) {
        const std::size_t gone = std::min(pieces[i].iov_len, static_cast<std::size_t>(written));
        pieces[i].iov_base = static_cast<char*>(pieces[i].iov_base) + gone;
        pieces[i].iov_len -= gone;
        written -= static_cast<ssize_t>(gone);
      }
    }
  }
  // What the other end has got so far.
  std::string arrived() {
    std::string all, piece(1 << 16, '\0');
    for (;;) {
      const ssize_t got = ::recv(ends_[1], piece.data(), piece.size(), MSG_DONTWAIT);
      if (got <= 0) return all;
      all.append(piece, 0, static_cast<std::size_t>(got));
    }
  }

  std::array<int, 2> ends_{-1, -1};
};

TEST_F(ReplyBurst, RepliesWithoutEditsLeaveAtOnce) {
  EXPECT_TRUE(write("head", "body"));
  EXPECT_EQ(arrived(), "headbody");
}

TEST_F(ReplyBurst, EditsWaitForTheReply) {
  reply_burst::begin();
  EXPECT_TRUE(write("b:", "the body"));
  reply_burst::begin();
  EXPECT_TRUE(write("h:", "a field"));
  EXPECT_EQ(arrived(), "");
  reply_burst::end();
  EXPECT_EQ(arrived(), "");
  EXPECT_TRUE(write("c", ""));
  EXPECT_EQ(arrived(), "b:the bodyh:a fieldc");
  EXPECT_TRUE(write("next", ""));
  EXPECT_EQ(arrived(), "next");
}

TEST_F(ReplyBurst, ALongChunkTakesAlongWhatWaits) {
  reply_burst::begin();
  const std::string chunk(kMost + 1, 'x');
  EXPECT_TRUE(write("1", "short"));
  EXPECT_TRUE(write("2", chunk));
  EXPECT_EQ(arrived(), "1short2" + chunk);
  EXPECT_TRUE(write("3", "short"));
  EXPECT_EQ(arrived(), "");
  reply_burst::end();
  EXPECT_TRUE(write("c", ""));
  EXPECT_EQ(arrived(), "3shortc");
}

TEST_F(ReplyBurst, ManyShortOnesLeaveWhenTheyAreTooMany) {
  reply_burst::begin();
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const std::string field(kMost / 10, static_cast<char>('a' + i % 26));
    EXPECT_TRUE(write("h", field));
    all += "h" + field;
  }
  reply_burst::end();
  std::string got;
  std::thread reader([&] {
    std::string piece(5000, '\0');
    while (got.size() < all.size() + 1) {
      const ssize_t size = ::read(ends_[1], piece.data(), piece.size());
      if (size <= 0) return;
      got.append(piece, 0, static_cast<std::size_t>(size));
    }
  });
  EXPECT_TRUE(write("c", ""));
  reader.join();
  EXPECT_EQ(got, all + "c");
}

TEST_F(ReplyBurst, ThatTheMtaHasGoneIsSaidByTheReply) {
  reply_burst::begin();
  ::close(ends_[1]);
  ends_[1] = -1;
  EXPECT_TRUE(write("h", "a field"));
  reply_burst::end();
  EXPECT_FALSE(write("c", ""));
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(ReplyBurst, AnMtaThatDoesNotReadIsWaitedForAsLongAsAllowed) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(write("b", std::string(16 << 20, 'x'), 50));
  EXPECT_EQ(errno, ETIMEDOUT);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(50));
}

TEST_F(ReplyBurst, NothingIsKeptForAnotherConnectionOfThatNumber) {
  reply_burst::begin();
  EXPECT_TRUE(write("h", "of the first"));
  const int number = ends_[0];
  ASSERT_EQ(pixmilter_seam_close(ends_[0]), 0);
  ::close(ends_[1]);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0);
  ASSERT_EQ(ends_[0], number);
  reply_burst::end();
  EXPECT_TRUE(write("c", ""));
  EXPECT_EQ(arrived(), "c");
}

TEST_F(ReplyBurst, WhatStillWaitsIsWrittenBeforeTheNextRead) {
  reply_burst::begin();
  EXPECT_TRUE(write("h", "a field"));
  reply_burst::end();
  pollfd asked{ends_[0], POLLIN, 0};
  EXPECT_EQ(pixmilter_seam_poll(&asked, 1, 0), 0);
  EXPECT_EQ(arrived(), "ha field");
}

// Whatever is written, in whatever order of edits and replies, to a reader that is now slow, now fast.
TEST_F(ReplyBurst, NothingIsLostOrDoubled) {
  std::string got;
  std::thread reader([&] {
    std::mt19937 random(2);
    std::string piece(100'000, '\0');
    for (;;) {
      if (random() % 8 == 0) std::this_thread::yield();
      const ssize_t size = ::read(ends_[1], piece.data(), 1 + random() % piece.size());
      if (size <= 0) return;
      got.append(piece, 0, static_cast<std::size_t>(size));
    }
  });
  std::mt19937 random(1);
  std::string sent;
  for (int message = 0; message < 300; ++message) {
    for (int edits = static_cast<int>(random() % 6); edits > 0; --edits) {
      reply_burst::begin();
      std::string body(random() % (random() % 3 == 0 ? 20 * kMost : 300), '\0');
      for (char& c : body) c = static_cast<char>(random());
      ASSERT_TRUE(write("edit:", body));
      sent += "edit:" + body;
    }
    reply_burst::end();
    ASSERT_TRUE(write("c", ""));
    sent += "c";
  }
  ASSERT_EQ(::shutdown(ends_[0], SHUT_WR), 0);
  reader.join();
  EXPECT_TRUE(got == sent) << got.size() << " of " << sent.size() << " bytes";
}

}  // namespace
}  // namespace pixmilter::milter
