// Workbench: what each command that works on one message stands on: the configuration, the envelope, the
// message, and a pipeline with all its services. So explain and preview show what rewrite would do.
#pragma once

#include <memory>

#include "cli/options.h"
#include "cli/progress.h"
#include "config/settings.h"
#include "core/pipeline.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "source/cache.h"
#include "worker/pool.h"

namespace pixmilter::cli {

class Workbench {
 public:
  // What is wrong is logged; then there is none, and exit_code is what the command ends with.
  // with_cache: what other machines have rendered is used, and the other way round, where a Redis is named.
  static std::unique_ptr<Workbench> open(const MessageOptions& options, bool with_cache, int& exit_code);

  const mail::Message& message() const { return message_; }
  const mail::Envelope& envelope() const { return envelope_; }
  worker::Renderer& renderer() { return renderer_; }
  // Within the configured deadline; report: as Pipeline::run() has it.
  core::Outcome run(core::Report* report = nullptr) const;

 private:
  Workbench(config::Settings settings, mail::Envelope envelope, std::unique_ptr<source::Fetcher> fetcher,
            std::string message, bool with_cache);

  const config::Settings settings_;
  const mail::Envelope envelope_;
  const std::unique_ptr<source::Fetcher> fetcher_;
  const mail::Message message_;
  worker::Pool pool_;
  const std::shared_ptr<source::Cache> cache_;
  Progress progress_;
  ShownRenderer renderer_;
  ShownFetcher shown_fetcher_;
  const core::Pipeline pipeline_;
};

}  // namespace pixmilter::cli
