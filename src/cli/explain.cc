// pixmilter explain: why a picture was, or was not, dealt with.
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/explain_text.h"
#include "cli/input.h"
#include "cli/workbench.h"

namespace pixmilter::cli {

int explain(const ExplainOptions& options) {
  int code = kExitOk;
  const std::unique_ptr<Workbench> bench = Workbench::open(options.message, false, code);
  if (!bench) return code;
  core::Report report;
  const core::Outcome outcome = bench->run(&report);
  const Explanation explanation{bench->message(), bench->envelope(), outcome, report};
  const std::string text = options.json ? explained_as_json(explanation)
                                        : explained_as_text(explanation, ::isatty(STDOUT_FILENO) == 1);
  if (const Status written = write_output(text); !written) {
    log::error(written.error().text);
    return kExitTemporary;
  }
  return kExitOk;
}

}  // namespace pixmilter::cli
