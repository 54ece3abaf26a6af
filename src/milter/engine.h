// Engine: what one configuration makes of messages: settings, renderer and pipeline in one piece.
//
// A message takes the engine that is current at its MAIL command and keeps it to its end, so a reload never
// changes the rules in the middle of a message. The last message of an old configuration takes it along.
#pragma once

#include <memory>

#include "config/settings.h"
#include "core/pipeline.h"
#include "worker/renderer.h"

namespace pixmilter::milter {

// Immutable; shared between threads.
struct Engine {
  Engine(config::Settings with, std::unique_ptr<worker::Renderer> made)
      : settings(std::move(with)), renderer(std::move(made)), pipeline(settings, *renderer) {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const config::Settings settings;
  const std::unique_ptr<worker::Renderer> renderer;
  const core::Pipeline pipeline;
};

}  // namespace pixmilter::milter
