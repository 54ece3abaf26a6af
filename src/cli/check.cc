// pixmilter check: what an administrator runs before a reload.
#include <cstdio>

#include "base/confine.h"
#include "base/deadline.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "source/fetch_process.h"
#include "worker/configured.h"
#include "worker/probe.h"

namespace pixmilter::cli {
namespace {

constexpr Milliseconds kProbeTime{20'000};

}  // namespace

int check(const ConfigurationOption& option) {
  const auto settings = load_configuration(option);
  if (!settings) return kExitConfiguration;
  const std::string file = configuration_file(option);
  // What the machine lacks is no mistake in the file: it is said, and the file is still fine.
  if (const std::string lack = confinement_report(probe_confinement()); !lack.empty()) log::warning(lack);
  const auto lacking =
      worker::probe_seal(worker::render_program(settings->render), Deadline::after(kProbeTime));
  if (!lacking)
    log::warning(lacking.error().text);
  else
    for (const std::string& lack : *lacking) log::warning(lack);
  if (const Status fetch = source::check_fetch(settings->fetch); !fetch)
    log::warning("no URL is fetched: " + fetch.error().text);
  std::printf("%s: ok\n", file.empty() ? "built-in defaults" : file.c_str());
  return kExitOk;
}

}  // namespace pixmilter::cli
