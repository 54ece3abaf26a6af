// Master: the process that holds the listening socket and keeps the others running.
//
// One thread and no mail. While it lives the socket is there, so an MTA that connects while the front is
// being started again waits instead of failing. It takes the signals (SIGTERM and SIGINT end after the
// messages in hand, SIGHUP reloads), because libmilter would end at once on any of them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/result.h"
#include "config/load.h"
#include "milter/attendants.h"
#include "milter/front.h"
#include "milter/listen_socket.h"

namespace pixmilter::milter {

// A configuration together with the text it was read from.
struct Configuration {
  config::Loaded loaded;
  std::string text;
  std::string name;  // of the file; "built-in defaults"
};

struct MasterOptions {
  Configuration configuration;            // without problems
  std::function<Configuration()> reread;  // on SIGHUP
  RendererMaker make_renderer;            // runs in the front
  // Start a render zygote, and a fetch process.
  decltype(AttendantKind::start) start_zygote;
  decltype(AttendantKind::start) start_fetcher;
  std::shared_ptr<const worker::Statistics> statistics;  // that the renderer adds to
  UniqueFd metrics;  // the listening socket of [metrics] listen, where that is somewhere
  // Binds the socket of another one, on reload; empty for nowhere.
  std::function<Result<UniqueFd>(const std::string& listen)> listen_for_metrics;
};

// Runs until SIGTERM or SIGINT, then gives 0. The process must have no other threads. The socket file is
// removed when listen goes.
int run_master(ListenSocket& listen, MasterOptions options);

}  // namespace pixmilter::milter
