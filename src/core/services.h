// Services: what the pipeline asks of others while it works on a message.
#pragma once

#include <functional>

#include "source/cache.h"
#include "source/fetcher.h"
#include "worker/renderer.h"

namespace pixmilter::core {

// Borrowed; all outlive the pipeline and are safe to use from several threads at once. A pointer that is null
// is a service that this configuration does not have.
struct Services {
  // NOLINTNEXTLINE(google-explicit-constructor): a renderer alone is enough for most.
  Services(worker::Renderer& with_renderer, source::Fetcher* with_fetcher = nullptr,
           source::Cache* with_cache = nullptr)
      : renderer(with_renderer), fetcher(with_fetcher), cache(with_cache) {}

  worker::Renderer& renderer;
  source::Fetcher* fetcher;
  source::Cache* cache;
  // Called on the thread of a message in which there is something to look at, before the passes that may take
  // long; empty: nobody wants to know.
  std::function<void()> at_work;
};

}  // namespace pixmilter::core
