// The pipeline: from a message as it came to what shall happen to it. Its passes are in pipeline.cc.
#pragma once

#include <string>

#include "base/deadline.h"
#include "config/settings.h"
#include "core/outcome.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "worker/renderer.h"

namespace pixmilter::core {

// Borrows its settings and renderer; both outlive it. run() is safe from several threads at once.
class Pipeline {
 public:
  Pipeline(const config::Settings& settings, worker::Renderer& renderer)
      : settings_(settings), renderer_(renderer) {}

  // What the header alone tells. headers is a message without its body.
  // An empty answer: the body has to be seen. Else: why there is nothing to do, for the log.
  std::string nothing_to_do(const mail::Message& headers, const mail::Envelope& envelope) const;

  // Never throws: on any failure of ours the outcome is the original message and a summary that says why.
  Outcome run(const mail::Message& message, const mail::Envelope& envelope, Deadline deadline) const;

 private:
  const config::Settings& settings_;
  worker::Renderer& renderer_;
};

}  // namespace pixmilter::core
