#include "source/fetch_client.h"

#include <poll.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "base/memfd.h"
#include "base/socket.h"
#include "source/fetch_wire.h"
#include "source/judge_url.h"

namespace pixmilter::source {
namespace {

// One call of fetch(), over one session.
class Exchange {
 public:
  Exchange(UniqueFd socket, std::span<const FetchRequest> requests, const config::Fetch& fetch,
           Deadline deadline, std::vector<FetchResponse>& responses)
      : socket_(std::move(socket)),
        requests_(requests),
        fetch_(fetch),
        deadline_(deadline),
        responses_(responses) {}

  // False: the process has gone before it had anything; the same can be asked of another one.
  bool run() {
    while (answered_ < requests_.size()) {
      if (begun_) send_what_may_go();
      if (over_ || !wait()) break;
      receive_what_came();
      if (over_) break;
    }
    if (!begun_ && over_) return false;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (done_.contains(i)) continue;
      responses_[i].status = over_ ? FetchStatus::internal : FetchStatus::timeout;
      responses_[i].reason = over_ ? "the fetch process has ended" : "no complete answer in time";
    }
    return true;
  }

 private:
  bool more_to_send() const {
    return begun_ && sent_ < requests_.size() && sent_ - answered_ < wire::kMaxOpen;
  }

  void send_what_may_go() {
    for (blocked_ = false; more_to_send(); ++sent_) {
      wire::Request request;
      request.number = static_cast<std::uint32_t>(sent_);
      request.milliseconds = static_cast<std::uint32_t>(std::clamp<Milliseconds::rep>(
          deadline_.left().count(), 1, std::numeric_limits<std::int32_t>::max()));
      request.request = requests_[sent_];
      const Transfer sent = send_packet(socket_.get(), wire::encode(request), {}, false);
      blocked_ = sent == Transfer::again;
      over_ = over_ || (sent != Transfer::done && !blocked_);
      if (sent != Transfer::done) return;
    }
  }

  // False: the deadline has passed.
  bool wait() const {
    pollfd one{socket_.get(), static_cast<short>(POLLIN | (blocked_ ? POLLOUT : 0)), 0};
    while (!deadline_.passed())
      if (::poll(&one, 1, poll_milliseconds(deadline_)) > 0) return true;
    return false;
  }

  void receive_what_came() {
    for (;;) {
      Packet packet;
      const Transfer transfer = receive_packet(socket_.get(), wire::kMaxMessage, false, packet);
      if (transfer == Transfer::again) return;
      if (transfer == Transfer::done && !begun_ && wire::decode<wire::Begun>(packet.bytes)) {
        begun_ = true;
        continue;
      }
      auto answer = wire::decode<wire::Answer>(packet.bytes);
      if (transfer != Transfer::done || !answer || !take(*answer, packet)) {
        over_ = true;
        return;
      }
    }
  }

  // False: no answer that a process of ours would give.
  bool take(wire::Answer& answer, Packet& packet) {
    if (answer.number >= sent_ || !done_.insert({answer.number, true}).second) return false;
    ++answered_;
    FetchResponse& response = responses_[answer.number];
    response = std::move(answer.response);
    if (packet.fds.size() != (answer.size > 0 ? 1U : 0U) || answer.size > fetch_.max_bytes) return false;
    if (answer.size == 0) return true;
    if (answer.size > fetch_.max_total - total_) {
      response.status = FetchStatus::limit;
      response.reason = "more than [fetch] max_total = " + std::to_string(fetch_.max_total);
      return true;
    }
    total_ += answer.size;
    Result<std::string> bytes = copy_memfd(packet.fds.front().get(), answer.size);
    if (bytes) {
      response.bytes = *std::move(bytes);
    } else {
      response.status = FetchStatus::internal;
      response.reason = bytes.error().text;
    }
    return true;
  }

  const UniqueFd socket_;
  const std::span<const FetchRequest> requests_;
  const config::Fetch& fetch_;
  const Deadline deadline_;
  std::vector<FetchResponse>& responses_;
  std::map<std::size_t, bool> done_;
  std::uint64_t total_ = 0;  // bytes of all bodies
  std::size_t sent_ = 0;
  std::size_t answered_ = 0;
  bool begun_ = false;
  bool blocked_ = false;
  bool over_ = false;  // the other end has gone, or says what it should not
};

}  // namespace

Result<std::string> FetchClient::allowed(std::string_view url) const {
  const Result<Url> judged = judge_url(url, fetch_);
  if (!judged) return judged.error();
  return judged->text();
}

std::vector<FetchResponse> FetchClient::fetch(std::span<const FetchRequest> requests, Deadline deadline) {
  std::vector<FetchResponse> responses(requests.size());
  if (requests.empty()) return responses;
  std::string problem = "the fetch process takes no request";
  for (int attempt = 0; attempt < 2; ++attempt) {
    Result<Session> session = open_session(deadline);
    if (!session) {
      problem = session.error().text;
      break;
    }
    const bool begun = Exchange(std::move(session->socket), requests, fetch_, deadline, responses).run();
    for (FetchResponse& response : responses) response.process = session->process;
    if (begun) return responses;
  }
  for (FetchResponse& response : responses) {
    response.status = deadline.passed() ? FetchStatus::timeout : FetchStatus::internal;
    response.reason = problem;
  }
  return responses;
}

Result<FetchClient::Session> FetchClient::open_session(Deadline deadline) {
  auto ends = socket_pair();
  if (!ends) return ends.error();
  const std::string packet = wire::encode(wire::Session{});
  const int theirs = ends->second.get();
  const std::unique_lock lock(mutex_, Clock::now() + deadline.left());
  if (!lock) return Error{"no fetch process in time"};
  if (line_) {
    const Transfer sent = send_packet(line_.get(), packet, std::span(&theirs, 1), false);
    if (sent == Transfer::done) return Session{std::move(ends->first), process_};
    if (sent == Transfer::again) return Error{"the fetch process is busy"};
    line_.reset();
  }
  Result<UniqueFd> line = connect_(deadline);
  if (!line) return line.error();
  line_ = *std::move(line);
  ++process_;
  if (send_packet(line_.get(), packet, std::span(&theirs, 1), false) == Transfer::done)
    return Session{std::move(ends->first), process_};
  line_.reset();
  return Error{"the fetch process has ended"};
}

}  // namespace pixmilter::source
