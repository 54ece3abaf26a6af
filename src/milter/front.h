// Front: the process that speaks with MTAs. It sees mail; the master and the render program's zygote do not.
//
// A fork of the master, so that it starts with the configuration that the master holds, whatever the file
// says by now. Confined to what that names (base/confine.h) before there are threads. One of its own listens
// to the master; libmilter has the others.
#pragma once

#include <functional>
#include <memory>

#include "base/landlock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "config/settings.h"
#include "milter/engine.h"
#include "milter/standing.h"
#include "worker/statistics.h"

namespace pixmilter::milter {

// Asks for a connection to a render zygote; what the renderer is made with. Safe from every thread.
using ZygoteRequest = std::function<Result<UniqueFd>(Deadline)>;
// Makes what renders pictures for one configuration.
using RendererMaker =
    std::function<std::unique_ptr<worker::Renderer>(const config::Settings&, ZygoteRequest)>;

struct FrontOptions {
  int listen_fd = -1;
  bool local = false;  // a unix socket
  UniqueFd control;    // to the master (control.h)
  config::Settings settings;
  Reach reach;  // that the settings name (reach.h); a reload never needs more
  RendererMaker make_renderer;
  // For those who watch; each may be missing.
  UniqueFd metrics;  // a listening socket
  const Standing* standing = nullptr;
  std::shared_ptr<const worker::Statistics> statistics;  // of the renderers that are made
};

// Serves until the master says otherwise or has gone; then finishes the messages in hand. Never returns.
[[noreturn]] void run_front(FrontOptions options);

}  // namespace pixmilter::milter
