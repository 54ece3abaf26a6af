// pixmilter preview: what rewrite would do with a message, as a page to look at.
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/preview_page.h"
#include "cli/workbench.h"

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
  int code = kExitOk;
  const std::unique_ptr<Workbench> bench = Workbench::open(options.message, false, code);
  if (!bench) return code;
  const mail::Message& message = bench->message();
  core::Report report;
  report.with_bytes = true;
  const core::Outcome outcome = bench->run(&report);

  Room room(kRoomForThumbnails);
  Preview page{{message, bench->envelope(), outcome, report}, {}, {}, false, {}};
  page.thumbnails = thumbnails(report, bench->renderer(), Deadline::after(kThumbnailTime), room);
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
