// Engine: what one configuration makes of messages: settings, renderer, cache and pipeline in one piece.
//
// A message takes the engine that is current at its MAIL command and keeps it to its end, so a reload never
// changes the rules in the middle of a message. An engine goes with the last message that has it.
#pragma once

#include <memory>

#include "config/settings.h"
#include "core/pipeline.h"
#include "milter/seams.h"
#include "source/cache.h"
#include "source/fetcher.h"
#include "worker/renderer.h"

namespace pixmilter::milter {

// Immutable; shared between threads.
struct Engine {
  Engine(config::Settings with, std::shared_ptr<worker::Renderer> with_renderer,
         std::unique_ptr<source::Fetcher> with_fetcher = nullptr,
         std::shared_ptr<source::Cache> with_cache = nullptr)
      : settings(std::move(with)),
        renderer(std::move(with_renderer)),
        fetcher(std::move(with_fetcher)),
        cache(std::move(with_cache)),
        pipeline(settings, services()) {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const config::Settings settings;
  const std::shared_ptr<worker::Renderer> renderer;  // of one or more configurations
  const std::unique_ptr<source::Fetcher> fetcher;    // nullptr: nothing is fetched
  const std::shared_ptr<source::Cache> cache;        // of one or more configurations; nullptr: it is off
  const core::Pipeline pipeline;

 private:
  core::Services services() const {
    core::Services services(*renderer, fetcher.get(), cache.get());
    services.at_work = seams::take_long;
    return services;
  }
};

}  // namespace pixmilter::milter
