#include "milter/status_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <thread>
#include <utility>

#include "base/deadline.h"
#include "base/log.h"
#include "base/socket.h"

namespace pixmilter::milter {
namespace {

constexpr Milliseconds kPatience{5'000};  // for a whole exchange
constexpr Milliseconds kPause{100};       // after accept() has failed for want of something

std::string_view words(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Not Found";
  }
}

std::string response(const StatusPage& page, bool with_text) {
  std::string out = "HTTP/1.1 " + std::to_string(page.status) + " ";
  out.append(words(page.status)).append("\r\nContent-Type: ").append(page.type);
  out.append("\r\nContent-Length: ").append(std::to_string(page.text.size()));
  if (page.status == 405) out.append("\r\nAllow: GET, HEAD");
  out.append("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n");
  if (with_text) out.append(page.text);
  return out;
}

bool would_wait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

void StatusServer::listen(UniqueFd socket) {
  if (!wake_ && !socket) return;
  {
    const std::lock_guard lock(mutex_);
    new_socket_ = std::move(socket);
  }
  if (!wake_) {
    wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    std::thread([this] { run(); }).detach();
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void StatusServer::run() {
  for (;;) {
    try {
      std::vector<pollfd> polled = {{wake_.get(), POLLIN, 0}};
      // Beyond the bound, those who come wait in the kernel.
      const bool room = connections_.size() < kMostConnections;
      polled.push_back({room && socket_ ? socket_.get() : -1, POLLIN, 0});
      Deadline until;
      for (const auto& connection : connections_) {
        const short wanted = connection->response.empty() ? POLLIN : POLLOUT;
        polled.push_back({connection->fd.get(), wanted, 0});
        until = earlier(until, connection->deadline);
      }
      if (::poll(polled.data(), polled.size(), poll_milliseconds(until)) < 0 && errno != EINTR)
        std::this_thread::sleep_for(kPause);
      for (std::size_t i = 0; i < connections_.size(); ++i) {
        if (polled[i + 2].revents != 0) serve(*connections_[i]);
        if (connections_[i]->deadline.passed()) connections_[i]->over = true;
      }
      std::erase_if(connections_, [](const auto& connection) { return connection->over; });
      if (polled[1].revents != 0) accept_connections();
      if (polled[0].revents != 0) take_socket();
    } catch (const std::exception&) {
      connections_.clear();  // no memory: they may ask again
      std::this_thread::sleep_for(kPause);
    }
  }
}

void StatusServer::take_socket() {
  std::uint64_t count;
  [[maybe_unused]] const ssize_t emptied = ::read(wake_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  if (!new_socket_) return;
  socket_ = std::move(*new_socket_);
  new_socket_.reset();
  if (socket_) ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
}

void StatusServer::accept_connections() {
  while (connections_.size() < kMostConnections) {
    UniqueFd fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
      if (!would_wait() && errno != ECONNABORTED) std::this_thread::sleep_for(kPause);
      return;
    }
    auto connection = std::make_unique<Connection>();
    connection->fd = std::move(fd);
    connection->deadline = Deadline::after(kPatience);
    connections_.push_back(std::move(connection));
  }
}

void StatusServer::serve(Connection& connection) {
  if (connection.response.empty()) {
    char buffer[2048];
    const ssize_t size = ::recv(connection.fd.get(), buffer, sizeof buffer, 0);
    if (size < 0 && would_wait()) return;
    if (size <= 0) {
      connection.over = true;
      return;
    }
    connection.request.append(buffer, static_cast<std::size_t>(size));
    answer(connection);
    if (connection.response.empty()) return;
  }
  const std::string_view rest = std::string_view(connection.response).substr(connection.sent);
  const ssize_t sent = ::send(connection.fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    connection.over = !would_wait();
    return;
  }
  connection.sent += static_cast<std::size_t>(sent);
  if (connection.sent < connection.response.size()) return;
  // What was not read would turn our close into a reset, and the answer might be lost.
  ::shutdown(connection.fd.get(), SHUT_WR);
  char rubbish[2048];
  while (::recv(connection.fd.get(), rubbish, sizeof rubbish, 0) > 0) {
  }
  connection.over = true;
}

// Once the header is whole: RFC 9112 section 3. Bodies are of no interest.
void StatusServer::answer(Connection& connection) const {
  const std::string_view request = connection.request;
  const bool whole =
      request.find("\r\n\r\n") != std::string_view::npos || request.find("\n\n") != std::string_view::npos;
  if (!whole) {
    if (request.size() >= kMostRequest)
      connection.response = response({431, "text/plain; charset=utf-8", "too long\n"}, true);
    return;
  }
  const std::string_view line = request.substr(0, request.find_first_of("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || !line.substr(second + 1).starts_with("HTTP/1.")) {
    connection.response = response({400, "text/plain; charset=utf-8", "no HTTP request\n"}, true);
    return;
  }
  const std::string_view method = line.substr(0, first);
  std::string_view path = line.substr(first + 1, second - first - 1);
  path = path.substr(0, path.find('?'));
  if (method != "GET" && method != "HEAD")
    connection.response = response({405, "text/plain; charset=utf-8", "GET and HEAD are served\n"}, true);
  else
    connection.response = response(page_of_(path), method == "GET");
}

}  // namespace pixmilter::milter
