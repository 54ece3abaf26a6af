// pixmilter check: what an administrator runs before a reload.
#include <cstdio>

#include "base/confine.h"
#include "base/deadline.h"
#include "base/identity.h"
#include "base/log.h"
#include "cli/asset_warnings.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/mta_check.h"
#include "config/warnings.h"
#include "source/fetch_process.h"
#include "worker/configured.h"
#include "worker/probe.h"

namespace pixmilter::cli {
namespace {

constexpr Milliseconds kProbeTime{20'000};

}  // namespace

int check(const CheckOptions& options) {
  // Whoever serves will read it all again: what the file names has to be there for that user.
  if (!options.user.empty()) {
    const Result<Identity> identity = find_identity(options.user, options.group);
    Status taken = identity ? take_identity(*identity) : Status(identity.error());
    if (!taken) {
      log::error(taken.error().text);
      return kExitUsage;
    }
  }
  const auto settings = load_configuration(options.configuration);
  if (!settings) return kExitConfiguration;
  const std::string file = configuration_file(options.configuration);
  std::vector<config::Problem> warnings = config::warnings(*settings, file);
  for (config::Problem& warning : asset_warnings(*settings, file)) warnings.push_back(std::move(warning));
  if (const Status fetch = source::check_fetch(settings->fetch); !fetch)
    warnings.push_back({file, settings->fetch.line, 1, "no URL is fetched: " + fetch.error().text});
  for (const config::Problem& problem : warnings)
    std::fprintf(stderr, "%s\n", problem.text("warning: ").c_str());
  // What the machine lacks is no mistake in the file: it is said, and the file is still fine.
  if (const std::string lack = confinement_report(probe_confinement()); !lack.empty()) log::warning(lack);
  const auto lacking =
      worker::probe_seal(worker::render_program(settings->render), Deadline::after(kProbeTime));
  if (!lacking)
    log::warning(lacking.error().text);
  else
    for (const std::string& lack : *lacking) log::warning(lack);
  bool mta_fine = true;
  if (options.mta) {
    const Result<MtaFindings> findings = check_mta(*settings, options.postfix_configuration);
    if (!findings) {
      log::error(findings.error().text);
      return kExitConfiguration;
    }
    for (const std::string& error : findings->errors) std::fprintf(stderr, "postfix: %s\n", error.c_str());
    for (const std::string& warning : findings->warnings)
      std::fprintf(stderr, "postfix: warning: %s\n", warning.c_str());
    mta_fine = findings->errors.empty();
  }
  std::printf("%s: ok\n", file.empty() ? "built-in defaults" : file.c_str());
  if (options.mta && mta_fine) std::printf("postfix: ok\n");
  return mta_fine ? kExitOk : kExitConfiguration;
}

}  // namespace pixmilter::cli
