#include "cli/workbench.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/envelope.h"
#include "cli/input.h"
#include "mail/mime_tree.h"
#include "source/fetch_process.h"
#include "worker/configured.h"
#include "worker/launcher.h"

namespace pixmilter::cli {

std::unique_ptr<Workbench> Workbench::open(const MessageOptions& options, bool with_cache, int& exit_code) {
  std::optional<config::Settings> settings = load_configuration(options.configuration);
  if (!settings) {
    exit_code = kExitConfiguration;
    return nullptr;
  }
  Result<mail::Envelope> envelope = envelope_of(options);
  if (!envelope) {
    log::error(envelope.error().text);
    exit_code = kExitUsage;
    return nullptr;
  }
  // Before the message is there: what fetches must never have seen it.
  std::unique_ptr<source::Fetcher> fetcher = source::child_fetcher(settings->fetch);
  Result<std::string> input = read_input(options.file);
  if (!input) {
    log::error(input.error().text);
    exit_code = kExitTemporary;
    return nullptr;
  }
  mail::initialise_mime();
  std::unique_ptr<Workbench> bench(new Workbench(*std::move(settings), *std::move(envelope),
                                                 std::move(fetcher), *std::move(input), with_cache));
  if (bench->message_.fields().empty()) {
    log::error("the input is no message: it does not begin with a header field");
    exit_code = kExitNoMessage;
    return nullptr;
  }
  exit_code = kExitOk;
  return bench;
}

// One message has no use for a cache in memory.
Workbench::Workbench(config::Settings settings, mail::Envelope envelope,
                     std::unique_ptr<source::Fetcher> fetcher, std::string message, bool with_cache)
    : settings_(std::move(settings)),
      envelope_(std::move(envelope)),
      fetcher_(std::move(fetcher)),
      message_(std::move(message)),
      pool_(worker::pool_options(settings_.render),
            worker::child_zygotes(worker::render_program(settings_.render))),
      cache_(with_cache && !settings_.cache.redis.empty() ? source::make_cache(settings_.cache) : nullptr),
      renderer_(pool_, progress_),
      shown_fetcher_(fetcher_.get(), progress_),
      pipeline_(settings_, {renderer_, fetcher_ ? &shown_fetcher_ : nullptr, cache_.get()}) {}

core::Outcome Workbench::run(core::Report* report) const {
  return pipeline_.run(message_, envelope_, Deadline::after(settings_.milter.deadline), report);
}

}  // namespace pixmilter::cli
