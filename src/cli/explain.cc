// pixmilter explain: why a picture was, or was not, dealt with.
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/envelope.h"
#include "cli/explain_text.h"
#include "cli/input.h"
#include "cli/progress.h"
#include "core/pipeline.h"
#include "mail/mime_tree.h"
#include "source/fetch_process.h"
#include "worker/configured.h"
#include "worker/launcher.h"
#include "worker/pool.h"

namespace pixmilter::cli {

int explain(const ExplainOptions& options) {
  const std::optional<config::Settings> settings = load_configuration(options.message.configuration);
  if (!settings) return kExitConfiguration;
  const Result<mail::Envelope> envelope = envelope_of(options.message);
  if (!envelope) {
    log::error(envelope.error().text);
    return kExitUsage;
  }
  // Before the message is there: what fetches must never have seen it.
  const std::unique_ptr<source::Fetcher> fetcher = source::child_fetcher(settings->fetch);
  Result<std::string> input = read_input(options.message.file);
  if (!input) {
    log::error(input.error().text);
    return kExitTemporary;
  }
  mail::initialise_mime();
  const mail::Message message(std::move(*input));
  if (message.fields().empty()) {
    log::error("the input is no message: it does not begin with a header field");
    return kExitNoMessage;
  }
  worker::Pool pool(worker::pool_options(settings->render),
                    worker::child_zygotes(worker::render_program(settings->render)));
  Progress progress;
  ShownRenderer renderer(pool, progress);
  ShownFetcher shown_fetcher(fetcher.get(), progress);
  const core::Pipeline pipeline(*settings, {renderer, fetcher ? &shown_fetcher : nullptr});
  core::Report report;
  const core::Outcome outcome =
      pipeline.run(message, *envelope, Deadline::after(settings->milter.deadline), &report);
  const Explanation explanation{message, *envelope, outcome, report};
  const std::string text = options.json ? explained_as_json(explanation)
                                        : explained_as_text(explanation, ::isatty(STDOUT_FILENO) == 1);
  if (const Status written = write_output(text); !written) {
    log::error(written.error().text);
    return kExitTemporary;
  }
  return kExitOk;
}

}  // namespace pixmilter::cli
