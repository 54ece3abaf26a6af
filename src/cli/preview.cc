// pixmilter preview: what rewrite would do with a message, as a page to look at.
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/envelope.h"
#include "cli/input.h"
#include "cli/output_file.h"
#include "cli/preview_page.h"
#include "core/pipeline.h"
#include "mail/mime_tree.h"
#include "worker/configured.h"
#include "worker/launcher.h"
#include "worker/pool.h"

namespace pixmilter::cli {
namespace {

// Bytes of pictures, as base64, that a page takes: browsers open more, but not at once.
constexpr std::size_t kRoomForThumbnails = 12u << 20;
constexpr std::size_t kRoomForViews = 24u << 20;  // each of the two
constexpr Milliseconds kThumbnailTime{20'000};

}  // namespace

int preview(const PreviewOptions& options) {
  const bool to_stdout = options.output.empty() || options.output == "-";
  if (to_stdout && ::isatty(STDOUT_FILENO) == 1) {
    log::error("a page is nothing for a terminal: write it to a file with -o FILE");
    return kExitUsage;
  }
  const std::optional<config::Settings> settings = load_configuration(options.message.configuration);
  if (!settings) return kExitConfiguration;
  const Result<mail::Envelope> envelope = envelope_of(options.message);
  if (!envelope) {
    log::error(envelope.error().text);
    return kExitUsage;
  }
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
  worker::Pool renderer(worker::pool_options(settings->render),
                        worker::child_zygotes(worker::render_program(settings->render)));
  const core::Pipeline pipeline(*settings, renderer);
  core::Report report;
  report.with_bytes = true;
  const core::Outcome outcome =
      pipeline.run(message, *envelope, Deadline::after(settings->milter.deadline), &report);

  Room room(kRoomForThumbnails);
  Preview page{{message, *envelope, outcome, report}, {}, {}, false, {}};
  page.thumbnails = thumbnails(report, renderer, Deadline::after(kThumbnailTime), room);
  Room before(kRoomForViews);
  page.before = client_view(message, before);
  page.changes = outcome.changed() || !report.message_after.empty();
  if (page.changes) {
    Room after(kRoomForViews);
    const mail::Message changed(outcome.changed() ? core::carried_out(message, outcome)
                                                  : report.message_after);
    page.after = client_view(changed, after);
  }
  if (const Status written = write_file(options.output, preview_page(page)); !written) {
    log::error(written.error().text);
    return kExitTemporary;
  }
  return kExitOk;
}

}  // namespace pixmilter::cli
