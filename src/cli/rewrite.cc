// pixmilter rewrite: the pipeline as a filter.
#include <csignal>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/envelope.h"
#include "cli/input.h"
#include "cli/progress.h"
#include "core/pipeline.h"
#include "mail/mime_tree.h"
#include "source/cache.h"
#include "source/fetch_process.h"
#include "worker/configured.h"
#include "worker/launcher.h"
#include "worker/pool.h"

namespace pixmilter::cli {
namespace {

int exit_code(core::Verdict verdict) {
  switch (verdict) {
    case core::Verdict::reject:
      return kExitRejected;
    case core::Verdict::tempfail:
      return kExitTemporary;
    case core::Verdict::accept:
    case core::Verdict::quarantine:
      return kExitOk;
  }
  return kExitOk;
}

}  // namespace

int rewrite(const MessageOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error to report, not a death
  const std::optional<config::Settings> settings = load_configuration(options.configuration);
  if (!settings) return kExitConfiguration;
  // Before the message is there: what fetches must never have seen it.
  const std::unique_ptr<source::Fetcher> fetcher = source::child_fetcher(settings->fetch);
  Result<std::string> input = read_input(options.file);
  if (!input) {
    log::error(input.error().text);
    return kExitTemporary;
  }
  const Result<mail::Envelope> envelope = envelope_of(options);
  if (!envelope) {
    log::error(envelope.error().text);
    return kExitUsage;
  }
  mail::initialise_mime();
  const mail::Message message(std::move(*input));
  if (message.fields().empty()) {
    log::error("the input is no message: it does not begin with a header field");
    return kExitNoMessage;
  }
  worker::Pool pool(worker::pool_options(settings->render),
                    worker::child_zygotes(worker::render_program(settings->render)));
  // One message has no use for memory, but what other machines have rendered serves it, and the other way
  // round.
  const std::shared_ptr<source::Cache> cache =
      settings->cache.redis.empty() ? nullptr : source::make_cache(settings->cache);
  Progress progress;
  ShownRenderer renderer(pool, progress);
  ShownFetcher shown_fetcher(fetcher.get(), progress);
  const core::Pipeline pipeline(*settings, {renderer, fetcher ? &shown_fetcher : nullptr, cache.get()});
  const core::Outcome outcome = pipeline.run(message, *envelope, Deadline::after(settings->milter.deadline));
  for (const std::string& note : outcome.notes) log::warning("left as it was: " + note);
  if (const int code = exit_code(outcome.verdict); code != kExitOk) {
    log::error(outcome.reply.empty() ? outcome.summary : outcome.reply);
    return code;
  }
  const Status written =
      write_output(outcome.changed() ? core::carried_out(message, outcome) : message.bytes());
  if (written) return kExitOk;
  log::error(written.error().text);
  return kExitTemporary;
}

}  // namespace pixmilter::cli
