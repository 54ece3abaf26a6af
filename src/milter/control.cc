#include "milter/control.h"

#include <climits>
#include <cstring>

namespace pixmilter::milter::control {
namespace {

constexpr std::size_t kFixed = 1 + sizeof(std::uint64_t);
constexpr std::size_t kMaxText = PATH_MAX;

// Which letters come with a descriptor.
std::size_t descriptors(Kind kind) {
  return kind == Kind::reload || kind == Kind::zygote || kind == Kind::fetcher || kind == Kind::metrics ? 1
                                                                                                        : 0;
}

}  // namespace

bool send(int socket, const Letter& letter) {
  std::string bytes(kFixed, '\0');
  bytes[0] = static_cast<char>(letter.kind);
  std::memcpy(bytes.data() + 1, &letter.number, sizeof letter.number);
  bytes += letter.text.substr(0, kMaxText);
  std::vector<int> fds;
  for (const auto& fd : letter.fds) fds.push_back(fd.get());
  return send_packet(socket, bytes, fds, false) == Transfer::done;
}

Received receive(int socket) {
  Packet packet;
  Received received;
  received.how = receive_packet(socket, kFixed + kMaxText, false, packet);
  if (received.how != Transfer::done) return received;
  if (packet.bytes.size() < kFixed) return received;
  Letter letter;
  letter.kind = static_cast<Kind>(packet.bytes[0]);
  std::memcpy(&letter.number, packet.bytes.data() + 1, sizeof letter.number);
  letter.text = packet.bytes.substr(kFixed);
  letter.fds = std::move(packet.fds);
  if (letter.kind < Kind::drain || letter.kind > Kind::leaving ||
      letter.fds.size() != descriptors(letter.kind))
    return received;
  received.letter = std::move(letter);
  return received;
}

}  // namespace pixmilter::milter::control
