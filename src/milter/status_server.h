// StatusServer: a few pages over HTTP for those who watch: Prometheus, a load balancer, an orchestrator.
//
// The master binds the socket, so that it is there before the front and stays when that dies; the front
// answers. One thread, reading requests only, every request and connection bounded: whoever talks to it is
// not trusted.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/unique_fd.h"

namespace pixmilter::milter {

struct StatusPage {
  int status = 404;
  std::string type = "text/plain; charset=utf-8";
  std::string text = "not found\n";
};

// Lives as long as the process: its thread never ends.
class StatusServer {
 public:
  // page_of is called by the server's thread, with a path without its query.
  using PageOf = std::function<StatusPage(std::string_view path)>;
  explicit StatusServer(PageOf page_of) : page_of_(std::move(page_of)) {}

  // Serves on this listening socket from now on; on none where it is empty. The first one starts the thread.
  void listen(UniqueFd socket);

  static constexpr std::size_t kMostConnections = 32;
  static constexpr std::size_t kMostRequest = 8192;  // bytes

 private:
  struct Connection {
    UniqueFd fd;
    Deadline deadline;
    std::string request;
    std::string response;  // empty: still reading
    std::size_t sent = 0;
    bool over = false;
  };
  [[noreturn]] void run();
  void take_socket();
  void accept_connections();
  void serve(Connection& connection);
  void answer(Connection& connection) const;

  const PageOf page_of_;
  UniqueFd wake_;  // an eventfd: there is a new socket
  std::mutex mutex_;
  std::optional<UniqueFd> new_socket_;  // under the mutex

  // From here on the thread's own.
  UniqueFd socket_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace pixmilter::milter
