// Filter: the door to libmilter.
//
// libmilter keeps its state in globals and its callbacks carry no argument of ours, so there is one filter
// in a process, for as long as the process runs.
#pragma once

#include "base/result.h"
#include "milter/traffic.h"

namespace pixmilter::milter {

struct FilterOptions {
  int listen_fd = -1;     // listens already; stays open
  bool no_reply = false;  // ask for the no-reply steps: for unix sockets
};

// Prepares libmilter. Call once, before threads start: SIGHUP, SIGINT and SIGTERM are blocked from here on.
Status prepare_filter(const FilterOptions& options, Traffic& traffic);

// Serves MTAs. Comes back only when libmilter gives up, with the reason.
Error run_filter();

}  // namespace pixmilter::milter
