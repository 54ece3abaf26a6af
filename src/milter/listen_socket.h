// The listening socket: made by the master before anything else runs, kept while fronts come and go.
//
// Everything an administrator can get wrong about it is told here with its place and cause.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace pixmilter::milter {

// Where to listen, as libmilter, Sendmail and [milter] socket write it.
struct SocketSpec {
  enum class Kind : std::uint8_t {
    unix_path,   // unix:PATH or local:PATH
    inet,        // inet:PORT@HOST
    inet6,       // inet6:PORT@HOST
    descriptor,  // fd:N, a socket that listens already (systemd's first is 3)
  };
  Kind kind = Kind::unix_path;
  std::string path;        // unix_path
  std::string host;        // inet, inet6: a name or an address
  std::uint16_t port = 0;  // inet, inet6; 0: any free one
  int fd = -1;             // descriptor
};
Result<SocketSpec> parse_socket_spec(std::string_view text);

// Owns the socket, and its file where it has one. Movable; one thread.
class ListenSocket {
 public:
  // Binds and listens. A unix socket gets mode, and group where that exists and may be given. A socket file
  // that nobody listens on is replaced; anything else that stands at the path stays, and is an error.
  static Result<ListenSocket> open(const SocketSpec& spec, std::uint32_t mode, const std::string& group);

  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&&) = delete;
  // Removes the socket file if it is still ours, then closes.
  ~ListenSocket();

  // The socket's file, where it has one, becomes this user's, its group stays: an owner may remove it, and
  // may connect to it.
  Status give_to(uid_t owner);

  int fd() const { return fd_.get(); }
  // A unix socket (whatever way it came).
  bool local() const { return local_; }
  // What it is bound to, in the form of a spec; the port as it turned out.
  const std::string& name() const { return name_; }
  // In a child that shares the socket: closes nothing else and removes no file when it goes.
  void disown_file() { path_.clear(); }

 private:
  ListenSocket() = default;
  UniqueFd fd_;
  bool local_ = false;
  std::string name_;
  std::string path_;  // of a file that is ours to remove
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace pixmilter::milter
