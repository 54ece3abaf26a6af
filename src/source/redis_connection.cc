#include "source/redis_connection.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "base/socket.h"

namespace pixmilter::source {
namespace {

constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::uint64_t kReplyFrame = 64;  // bytes of a reply beside its text
constexpr std::size_t kLongestComplaint = 200;

Error failed(const std::string& what, int error) { return Error{what + ": " + std::strerror(error)}; }

// Replies as we want them. Whoever answers with an array is no server that we asked: we never want one, and
// one of four thousand million elements is no reason to run out of memory.
void* make_reply(RedisReply::Kind kind, std::string text) {
  return new (std::nothrow) RedisReply{kind, std::move(text)};
}
void* make_string(const redisReadTask* task, char* text, std::size_t size) try {
  return make_reply(task->type == REDIS_REPLY_ERROR ? RedisReply::Kind::error : RedisReply::Kind::text,
                    std::string(text, size));
} catch (const std::bad_alloc&) {
  return nullptr;
}
void* make_array(const redisReadTask*, int) { return nullptr; }
void* make_integer(const redisReadTask*, long long) { return make_reply(RedisReply::Kind::integer, {}); }
void* make_nil(const redisReadTask*) { return make_reply(RedisReply::Kind::nil, {}); }
void free_reply(void* reply) { delete static_cast<RedisReply*>(reply); }

redisReplyObjectFunctions kReplies{make_string, make_array, make_integer, make_nil, free_reply};

Result<UniqueFd> open_socket(const sockaddr* address, socklen_t size, const std::string& name,
                             Deadline deadline) {
  UniqueFd socket(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return failed(name, errno);
  if (address->sa_family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (::connect(socket.get(), address, size) == 0) return socket;
  if (errno != EINPROGRESS) return failed(name, errno);  // EAGAIN: a unix socket whose backlog is full
  pollfd poll{socket.get(), POLLOUT, 0};
  while (::poll(&poll, 1, poll_milliseconds(deadline)) <= 0)
    if (deadline.passed()) return Error{name + ": no connection in time"};
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return failed(name, error);
  return socket;
}

Result<UniqueFd> open_socket(const config::RedisAddress& address, Deadline deadline) {
  if (!address.path.empty()) {
    sockaddr_un unix_address{};
    unix_address.sun_family = AF_UNIX;
    address.path.copy(unix_address.sun_path, sizeof unix_address.sun_path - 1);
    return open_socket(reinterpret_cast<const sockaddr*>(&unix_address), sizeof unix_address, address.text(),
                       deadline);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int found = ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (found != 0) return Error{address.text() + ": " + ::gai_strerror(found)};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  // A resolver may have taken longer than all of the time: each address gets as much as there was.
  const Milliseconds each = std::max(deadline.left(), Milliseconds(1));
  Result<UniqueFd> socket = Error{address.text() + ": no address"};
  for (const addrinfo* one = list; one != nullptr && !socket; one = one->ai_next)
    socket = open_socket(one->ai_addr, one->ai_addrlen, address.text(), Deadline::after(each));
  return socket;
}

// Of a server's complaint, what may stand in a log.
std::string complaint(std::string text) {
  text.resize(std::min(text.size(), kLongestComplaint));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
}

}  // namespace

RedisConnection::RedisConnection(UniqueFd socket, std::uint64_t max_reply)
    : socket_(std::move(socket)), max_reply_(max_reply), reader_(redisReaderCreateWithFunctions(&kReplies)) {
  if (reader_ == nullptr) throw std::bad_alloc();
}

RedisConnection::~RedisConnection() { redisReaderFree(reader_); }

Result<std::unique_ptr<RedisConnection>> RedisConnection::connect(const config::RedisAddress& address,
                                                                  std::uint64_t max_reply,
                                                                  Deadline deadline) {
  const Milliseconds time = deadline.left();
  Result<UniqueFd> socket = open_socket(address, deadline);
  if (!socket) return socket.error();
  std::unique_ptr<RedisConnection> connection(new RedisConnection(std::move(*socket), max_reply));
  std::vector<std::string> asked;
  if (!address.password.empty()) {
    if (address.user.empty())
      connection->queue({"AUTH", address.password});
    else
      connection->queue({"AUTH", address.user, address.password});
    asked.emplace_back("AUTH");
  }
  if (address.database != 0) {
    connection->queue({"SELECT", std::to_string(address.database)});
    asked.emplace_back("SELECT");
  }
  connection->queue({"PING"});  // who listens may not answer
  asked.emplace_back("PING");
  std::vector<RedisReply> replies;
  const Status exchanged = connection->exchange(replies, Deadline::after(std::max(time, Milliseconds(1))));
  for (std::size_t i = 0; i < replies.size(); ++i)
    if (replies[i].kind == RedisReply::Kind::error)
      return Error{address.text() + ": " + asked[i] + ": " + complaint(std::move(replies[i].text))};
  if (!exchanged) return Error{address.text() + ": " + exchanged.error().text};
  if (replies.back().text != "PONG") return Error{address.text() + ": it does not answer as Redis does"};
  return connection;
}

void RedisConnection::queue(std::initializer_list<std::string_view> arguments) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  char* command = nullptr;
  const int size =
      redisFormatCommandArgv(&command, static_cast<int>(texts.size()), texts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  const std::unique_ptr<char, void (*)(char*)> owner(command, redisFreeCommand);
  output_.append(command, static_cast<std::size_t>(size));
  ++expected_;
}

Status RedisConnection::exchange(std::vector<RedisReply>& replies, Deadline deadline) {
  std::size_t sent = 0;
  while (expected_ > 0) {
    if (sent < output_.size()) {
      const ssize_t n = ::send(socket_.get(), output_.data() + sent, output_.size() - sent, MSG_NOSIGNAL);
      if (n > 0) sent += static_cast<std::size_t>(n);
      if (n < 0 && errno != EAGAIN && errno != EINTR) return failed("writing", errno);
      if (n > 0 && sent < output_.size()) continue;
    }
    pollfd poll{socket_.get(), static_cast<short>(sent < output_.size() ? POLLIN | POLLOUT : POLLIN), 0};
    const int ready = ::poll(&poll, 1, poll_milliseconds(deadline));
    if (ready < 0 && errno != EINTR) return failed("waiting", errno);
    if (ready > 0 && (poll.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
      if (Status heard = hear(replies); !heard) return heard;
    if (expected_ > 0 && deadline.passed()) return Error{"no answer in time"};
  }
  output_.clear();
  return Done{};
}

Status RedisConnection::hear(std::vector<RedisReply>& replies) {
  thread_local std::vector<char> buffer(kReadBytes);
  const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (n == 0) return Error{"the server has closed the connection"};
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Status(Done{}) : Status(failed("reading", errno));
  unread_ += static_cast<std::uint64_t>(n);
  if (redisReaderFeed(reader_, buffer.data(), static_cast<std::size_t>(n)) != REDIS_OK)
    return Error{"no memory for its answer"};
  return take_replies(replies);
}

Status RedisConnection::take_replies(std::vector<RedisReply>& replies) {
  while (expected_ > 0) {
    void* object = nullptr;
    if (redisReaderGetReply(reader_, &object) != REDIS_OK) return Error{"it does not answer as Redis does"};
    if (object == nullptr) {
      // A reply that is under way. Several short ones may have come with one read.
      if (unread_ > max_reply_ + kReplyFrame + kReadBytes) return Error{"its answer is too long"};
      return Done{};
    }
    const std::unique_ptr<RedisReply> reply(static_cast<RedisReply*>(object));
    replies.push_back(std::move(*reply));
    unread_ = 0;
    --expected_;
  }
  return Done{};
}

bool RedisConnection::stale() const {
  pollfd poll{socket_.get(), POLLIN, 0};
  return ::poll(&poll, 1, 0) != 0;
}

}  // namespace pixmilter::source
