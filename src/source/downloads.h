// All URLs that are under way, and those that wait for their turn: libcurl's multi interface in one thread.
//
// A host that is slow or dead has a few of the places, never all of them, so that the pictures of other hosts
// pass it by. Connections are kept for the next message.
#pragma once

#include <poll.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "source/download.h"

namespace pixmilter::source {

class Downloads {
 public:
  using Done = std::function<void(FetchResponse)>;

  // Borrows the rules.
  explicit Downloads(const DownloadRules& rules);
  ~Downloads();
  Downloads(const Downloads&) = delete;
  Downloads& operator=(const Downloads&) = delete;

  // Done is called once, by turn() or from here, unless it is cancelled first. Gives a number to cancel by.
  std::uint64_t add(FetchRequest request, Deadline deadline, Done done);
  void cancel(std::uint64_t number);

  // Waits until there is something to do, for a download or at one of the others, and fills in their revents.
  void wait(std::vector<pollfd>& others);
  // Does it.
  void turn();

 private:
  struct One;

  void start_what_may_start();
  void start(One& one);
  void end(std::uint64_t number);
  void stop(One& one);

  const DownloadRules& rules_;
  CURLM* multi_;
  std::deque<std::unique_ptr<One>> all_;  // in the order of add()
  std::uint64_t last_ = 0;
  std::size_t active_ = 0;
  std::map<std::string, std::size_t> active_at_;  // by place
};

}  // namespace pixmilter::source
