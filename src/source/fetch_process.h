// The fetch process: from a fork to a sealed process that serves.
//
// A fork and not a program of its own, so that it starts with the settings that its parent holds. It has to
// be forked by a process that has not seen any mail, and while that has one thread.
#pragma once

#include <sys/types.h>

#include <memory>

#include "base/result.h"
#include "base/unique_fd.h"
#include "config/settings.h"
#include "source/fetcher.h"

namespace pixmilter::source {

enum class Start {
  at_once,     // loads libcurl ahead of the first request
  when_asked,  // most messages of a command name no URL
};

// Starts one that speaks on the socket, which stays the caller's, who closes it; the caller reaps the
// process. It ends by itself when the other end of the socket is closed.
Result<pid_t> spawn_fetch_process(int socket, const config::Fetch& fetch, Start start);

// For a command: a process of its own, forked by this call, ended and reaped with the fetcher. nullptr where
// nothing is allowed, or no process can be had; the log says so then.
std::unique_ptr<Fetcher> child_fetcher(const config::Fetch& fetch);

// What would keep a fetch process from working: a file that cannot be read, or libcurl. For `check`; as
// whoever runs that.
Status check_fetch(const config::Fetch& fetch);

}  // namespace pixmilter::source
