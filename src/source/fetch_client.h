// The front's side of the fetch process.
#pragma once

#include <functional>
#include <mutex>

#include "base/unique_fd.h"
#include "config/settings.h"
#include "source/fetcher.h"

namespace pixmilter::source {

class FetchClient final : public Fetcher {
 public:
  // Gives a line to a fetch process that was started for these settings or later ones; the one from before
  // is of no use any more.
  using Connect = std::function<Result<UniqueFd>(Deadline)>;

  FetchClient(const config::Fetch& fetch, Connect connect) : fetch_(fetch), connect_(std::move(connect)) {}

  Result<std::string> allowed(std::string_view url) const override;
  std::vector<FetchResponse> fetch(std::span<const FetchRequest> requests, Deadline deadline) override;

 private:
  struct Session {
    UniqueFd socket;
    std::uint32_t process;
  };
  Result<Session> open_session(Deadline deadline);

  const config::Fetch fetch_;
  const Connect connect_;
  std::timed_mutex mutex_;
  UniqueFd line_;
  std::uint32_t process_ = 0;  // the one on the line
};

}  // namespace pixmilter::source
