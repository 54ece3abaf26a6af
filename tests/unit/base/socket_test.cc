// Packets between processes: whole, bounded, with descriptors that do not leak.
#include "base/socket.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>

#include <string>

namespace pixmilter {
namespace {

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* fds = ::opendir("/proc/self/fd");
  while (::readdir(fds) != nullptr) ++count;
  ::closedir(fds);
  return count;
}

TEST(SocketTest, APacketArrivesWholeWithItsDescriptors) {
  auto ends = socket_pair();
  ASSERT_TRUE(ends);
  const int fds[] = {0, 1};
  EXPECT_EQ(send_packet(ends->first.get(), "hello", fds, true), Transfer::done);
  EXPECT_EQ(send_packet(ends->first.get(), "again", {}, true), Transfer::done);
  Packet packet;
  ASSERT_EQ(receive_packet(ends->second.get(), 100, true, packet), Transfer::done);
  EXPECT_EQ(packet.bytes, "hello");
  ASSERT_EQ(packet.fds.size(), 2U);
  EXPECT_NE(::fcntl(packet.fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_EQ(receive_packet(ends->second.get(), 5, false, packet), Transfer::done);
  EXPECT_EQ(packet.bytes, "again");
  EXPECT_TRUE(packet.fds.empty());
  EXPECT_EQ(receive_packet(ends->second.get(), 5, false, packet), Transfer::again);
}

TEST(SocketTest, TooLongOrTooManyIsBrokenAndLeaksNothing) {
  const std::size_t before = open_descriptors();
  {
    auto ends = socket_pair();
    const int fds[] = {0, 1, 2, 0};
    EXPECT_EQ(send_packet(ends->first.get(), "too long", fds, true), Transfer::done);
    Packet packet;
    EXPECT_EQ(receive_packet(ends->second.get(), 4, true, packet), Transfer::broken);
    const int many[] = {0, 1, 2, 0, 1};
    EXPECT_EQ(send_packet(ends->first.get(), "x", many, true), Transfer::broken);
    // A peer that does not keep to our bound.
    char byte = 'x';
    iovec piece{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof many)] = {};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof many);
    std::memcpy(CMSG_DATA(rights), many, sizeof many);
    ASSERT_EQ(::sendmsg(ends->first.get(), &header, 0), 1);
    EXPECT_EQ(receive_packet(ends->second.get(), 4, true, packet), Transfer::broken);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(SocketTest, TheEndIsToldFromSilence) {
  auto ends = socket_pair();
  EXPECT_FALSE(wait_readable(ends->second.get(), Deadline::after(Milliseconds(10))));
  ends->first.reset();
  EXPECT_TRUE(wait_readable(ends->second.get(), Deadline::after(Milliseconds(10))));
  Packet packet;
  EXPECT_EQ(receive_packet(ends->second.get(), 100, true, packet), Transfer::closed);
  EXPECT_EQ(send_packet(ends->second.get(), "x", {}, true), Transfer::closed);
}

TEST(SocketTest, AFullBufferIsSaid) {
  auto ends = socket_pair();
  Transfer last = Transfer::done;
  for (int i = 0; i < 100'000 && last == Transfer::done; ++i)
    last = send_packet(ends->first.get(), std::string(1000, 'x'), {}, false);
  EXPECT_EQ(last, Transfer::again);
}

}  // namespace
}  // namespace pixmilter
