// pixmilter rewrite: the pipeline as a filter.
#include <csignal>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/workbench.h"

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
  int code = kExitOk;
  const std::unique_ptr<Workbench> bench = Workbench::open(options, true, code);
  if (!bench) return code;
  const core::Outcome outcome = bench->run();
  for (const std::string& note : outcome.notes) log::warning("left as it was: " + note);
  if (code = exit_code(outcome.verdict); code != kExitOk) {
    log::error(outcome.reply.empty() ? outcome.summary : outcome.reply);
    return code;
  }
  // There is nobody here who could hold it; whoever is next in a pipeline will send it.
  if (outcome.verdict == core::Verdict::quarantine)
    log::warning("a mail server would hold this message: " + outcome.summary);
  const Status written = write_output(outcome.changed() ? core::carried_out(bench->message(), outcome)
                                                        : bench->message().bytes());
  if (written) return kExitOk;
  log::error(written.error().text);
  return kExitTemporary;
}

}  // namespace pixmilter::cli
