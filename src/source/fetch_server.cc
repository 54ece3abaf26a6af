#include "source/fetch_server.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/memfd.h"
#include "base/socket.h"
#include "source/downloads.h"
#include "source/fetch_wire.h"

namespace pixmilter::source {
namespace {

// Messages at a time that can have URLs fetched. Each has a descriptor.
constexpr std::size_t kMaxSessions = 512;

// Which files the name service reads: their place on the disk changes when they are replaced.
std::vector<std::pair<dev_t, ino_t>> name_service() {
  std::vector<std::pair<dev_t, ino_t>> files;
  for (const char* path : {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"}) {
    struct stat status {};
    const bool there = ::stat(path, &status) == 0;
    files.emplace_back(there ? status.st_dev : 0, there ? status.st_ino : 0);
  }
  return files;
}

struct Session {
  UniqueFd socket;
  std::map<std::uint32_t, std::uint64_t> open;  // the front's number, and the downloads'
  bool broken = false;
};

class Server {
 public:
  // rules: nullptr where there is a refusal for every request instead.
  Server(UniqueFd line, const DownloadRules* rules, std::string refusal)
      : line_(std::move(line)), refusal_(std::move(refusal)), name_service_(name_service()) {
    if (rules != nullptr) downloads_ = std::make_unique<Downloads>(*rules);
  }

  void run() {
    while (line_ || !sessions_.empty()) {
      std::vector<pollfd> watched;
      if (line_) watched.push_back({line_.get(), POLLIN, 0});
      for (const auto& session : sessions_) watched.push_back({session->socket.get(), POLLIN, 0});
      if (downloads_)
        downloads_->wait(watched);
      else
        ::poll(watched.data(), watched.size(), -1);
      // Sessions are looked at before new ones come behind them.
      const std::size_t first = line_ ? 1 : 0;
      for (std::size_t i = first; i < watched.size(); ++i)
        if (watched[i].revents != 0) hear(*sessions_[i - first]);
      if (first == 1 && watched[0].revents != 0) take_sessions();
      if (downloads_) downloads_->turn();
      end_sessions();
    }
  }

 private:
  void take_sessions() {
    if (name_service() != name_service_) {
      log::info("the name service is configured anew: another fetch process takes over");
      line_.reset();
      return;
    }
    for (;;) {
      Packet packet;
      const Transfer transfer = receive_packet(line_.get(), wire::kMaxMessage, false, packet);
      if (transfer == Transfer::again) return;
      if (transfer != Transfer::done) return line_.reset();
      if (!wire::decode<wire::Session>(packet.bytes) || packet.fds.size() != 1) continue;
      if (sessions_.size() >= kMaxSessions) continue;  // its end tells the front
      auto session = std::make_unique<Session>();
      session->socket = std::move(packet.fds.front());
      if (send_packet(session->socket.get(), wire::encode(wire::Begun{}), {}, false) == Transfer::done)
        sessions_.push_back(std::move(session));
    }
  }

  void hear(Session& session) {
    while (!session.broken) {
      Packet packet;
      const Transfer transfer = receive_packet(session.socket.get(), wire::kMaxMessage, false, packet);
      if (transfer == Transfer::again) return;
      const auto request = wire::decode<wire::Request>(packet.bytes);
      if (transfer != Transfer::done || !request || !packet.fds.empty() ||
          session.open.size() >= wire::kMaxOpen || session.open.contains(request->number)) {
        session.broken = true;
        return;
      }
      const std::uint32_t number = request->number;
      if (!downloads_) {
        FetchResponse refused;
        refused.reason = refusal_;
        answer(session, number, std::move(refused));
        continue;
      }
      // A session outlives its downloads: end_sessions() cancels them.
      session.open[number] = downloads_->add(
          request->request, Deadline::after(Milliseconds(request->milliseconds)),
          [this, &session, number](FetchResponse response) { answer(session, number, std::move(response)); });
    }
  }

  void answer(Session& session, std::uint32_t number, FetchResponse response) {
    session.open.erase(number);
    if (session.broken) return;
    UniqueFd body;
    std::vector<int> fds;
    if (!response.bytes.empty()) {
      Result<UniqueFd> sealed = sealed_memfd(response.bytes);
      if (sealed) {
        body = *std::move(sealed);
        fds.push_back(body.get());
      } else {
        response = {};
        response.reason = sealed.error().text;
      }
    }
    const std::uint64_t size = response.bytes.size();
    response.bytes = {};
    const std::string packet = wire::encode(wire::Answer{number, size, std::move(response)});
    // There is room for the answers to all that may be open; who has none does not read.
    session.broken = send_packet(session.socket.get(), packet, fds, false) != Transfer::done;
  }

  void end_sessions() {
    for (const auto& session : sessions_) {
      if (!session->broken) continue;
      for (const auto& [number, download] : std::exchange(session->open, {})) downloads_->cancel(download);
    }
    std::erase_if(sessions_, [](const auto& session) { return session->broken; });
  }

  UniqueFd line_;
  std::unique_ptr<Downloads> downloads_;
  const std::string refusal_;
  std::vector<std::unique_ptr<Session>> sessions_;
  const std::vector<std::pair<dev_t, ino_t>> name_service_;
};

}  // namespace

void serve_fetches(UniqueFd line, const DownloadRules& rules) { Server(std::move(line), &rules, {}).run(); }

void refuse_fetches(UniqueFd line, const std::string& reason) {
  Server(std::move(line), nullptr, reason.substr(0, wire::kMaxField)).run();
}

}  // namespace pixmilter::source
