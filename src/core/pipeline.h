// The pipeline: from a message as it came to what shall happen to it. Its passes are in pipeline.cc.
#pragma once

#include <functional>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "config/settings.h"
#include "core/assemble.h"
#include "core/outcome.h"
#include "core/report.h"
#include "core/services.h"
#include "mail/envelope.h"
#include "mail/message.h"

namespace pixmilter::core {

// Borrows its settings and what the services point to; all outlive it. run() is safe from several threads at
// once.
class Pipeline {
 public:
  using Assemble = std::function<Result<Assembly>(const Work&)>;

  // assemble is the pass of that name; tests put a wrong one in its place to see verify refuse its work.
  Pipeline(const config::Settings& settings, const Services& services, Assemble assemble = core::assemble)
      : settings_(settings), services_(services), assemble_(std::move(assemble)) {}

  // What the client alone tells, before there is a header: why there is nothing to do whatever follows, or
  // nothing.
  std::string nothing_for(const mail::Envelope& envelope) const;

  // What the header alone tells. headers is a message without its body.
  // An empty answer: the body has to be seen. Else: why there is nothing to do, for the log.
  // rule: where it is given, becomes the one that speaks for the message (rule_of()); forced: what one
  // recipient forced on the others.
  std::string nothing_to_do(const mail::Message& headers, const mail::Envelope& envelope,
                            std::string* rule = nullptr, std::vector<Forced>* forced = nullptr) const;

  // Never throws: on any failure of ours the outcome is the original message and a summary that says why.
  // report: filled where it is given; that costs time.
  Outcome run(const mail::Message& message, const mail::Envelope& envelope, Deadline deadline,
              Report* report = nullptr) const;

 private:
  // One message on its way through the passes.
  struct Run {
    const mail::Message& message;
    const mail::Envelope& envelope;
    Deadline deadline;
    Outcome& outcome;
    Report* report;
  };
  void run_passes(const Run& run) const;

  // The passes from parse to verify; fills change and says in words what was done or why nothing was.
  std::string rewrite(const Run& run, const Plan& plan, Outcome& change) const;

  const config::Settings& settings_;
  const Services services_;
  Assemble assemble_;
};

}  // namespace pixmilter::core
