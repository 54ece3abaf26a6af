#include "worker/probe.h"

#include <algorithm>

#include "base/socket.h"
#include "worker/wire.h"

namespace pixmilter::worker {
namespace {

// The next packet, or why there is none.
Result<Packet> next_packet(int socket, Deadline deadline) {
  if (!wait_readable(socket, deadline)) return Error{"the render program does not answer"};
  Packet packet;
  if (receive_packet(socket, wire::kMaxMessage, false, packet) != Transfer::done)
    return Error{"the render program ended while it started"};
  return packet;
}

Result<wire::Ready> ready_worker(int zygote, wire::Purpose purpose, Deadline deadline) {
  const auto number = static_cast<std::uint64_t>(purpose) + 1;
  if (send_packet(zygote, wire::encode(wire::Fork{number, purpose}), {}, false) != Transfer::done)
    return Error{"the render program ended while it started"};
  for (;;) {
    auto packet = next_packet(zygote, deadline);
    if (!packet) return packet.error();
    const auto forked = wire::decode<wire::Forked>(packet->bytes);
    if (!forked) continue;
    if (packet->fds.empty()) return Error{"the render zygote cannot fork"};
    auto answer = next_packet(packet->fds[0].get(), deadline);
    if (!answer) return answer.error();
    auto ready = wire::decode<wire::Ready>(answer->bytes);
    if (!ready) return Error{"a render worker broke the protocol while it started"};
    return *std::move(ready);
  }
}

}  // namespace

Result<std::vector<std::string>> probe_seal(const RenderProgram& program, Deadline deadline) {
  const auto source = child_zygotes(program);
  const auto zygote = source->connect(deadline);
  if (!zygote) return zygote.error();
  std::vector<std::string> reports;
  for (const auto purpose : wire::kAllPurposes) {
    auto ready = ready_worker(zygote->get(), purpose, deadline);
    if (!ready) return ready.error();
    if (!ready->usable) return Error{ready->report};
    if (!ready->report.empty() && std::find(reports.begin(), reports.end(), ready->report) == reports.end())
      reports.push_back(std::move(ready->report));
  }
  return reports;
}

}  // namespace pixmilter::worker
