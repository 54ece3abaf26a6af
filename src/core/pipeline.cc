// The pipeline on one page: what happens to a message, pass by pass.
//
// Until send, nothing that goes wrong can hurt the message: whatever is not finished, verified and whole is
// dropped, and the original goes on.
#include "core/pipeline.h"

#include <algorithm>
#include <exception>

#include "base/ascii.h"
#include "core/budget.h"
#include "core/conclude.h"
#include "core/find.h"
#include "core/links.h"
#include "core/look_ahead.h"
#include "core/policy.h"
#include "core/removal.h"
#include "core/render.h"
#include "core/resolve.h"
#include "core/verify.h"
#include "source/assets.h"

namespace pixmilter::core {
namespace {

void untouched(Outcome& outcome, const std::string& reason) { outcome.summary = "untouched: " + reason; }

constexpr int kBudgetRounds = 3;  // tries to make a message fit

// The time in which pictures are made ready: what is left is for putting the message together.
Deadline for_pictures(Deadline deadline) {
  constexpr Milliseconds kMost{500};
  constexpr int kShare = 20;
  return Deadline(deadline.at() - std::min(kMost, deadline.left() / kShare));
}

// on_fail: the strictest of what the rules want for the failures that there were. too_large: that the message
// is over its budget, in words, or empty.
Verdict verdict_of(const Work& work, const std::string& too_large, Outcome& outcome) {
  config::OnFail strictest = config::OnFail::accept;
  if (!too_large.empty()) {
    strictest = work.plan.policy.on_fail[static_cast<std::size_t>(config::Failure::limit)];
    if (strictest != config::OnFail::accept) outcome.reply = "message is too large: " + too_large;
  }
  for (const Finding& finding : work.findings) {
    if (!finding.failed) continue;
    const config::OnFail wanted = work.plan.policy.on_fail[static_cast<std::size_t>(finding.failure)];
    if (wanted <= strictest) continue;
    strictest = wanted;
    outcome.reply = "image could not be processed: " + finding.reason;
  }
  switch (strictest) {
    case config::OnFail::accept:
      return Verdict::accept;
    case config::OnFail::quarantine:
      return Verdict::quarantine;
    case config::OnFail::tempfail:
      return Verdict::tempfail;
    case config::OnFail::reject:
      return Verdict::reject;
  }
  return Verdict::accept;
}

// What a rule's action means where it is not to rewrite.
Verdict verdict_of(config::MessageAction action) {
  switch (action) {
    case config::MessageAction::rewrite:
    case config::MessageAction::skip:
      return Verdict::accept;
    case config::MessageAction::quarantine:
      return Verdict::quarantine;
    case config::MessageAction::tempfail:
      return Verdict::tempfail;
    case config::MessageAction::reject:
      return Verdict::reject;
  }
  return Verdict::accept;
}

// Marks that senders address to us are taken out even where no picture is.
bool has_removals(const Work& work) {
  for (const HtmlText& text : work.texts)
    if (!text.scan.removals.empty()) return true;
  return false;
}

std::string counted(const Work& work) {
  std::size_t embedded = 0, converted = 0, placeholders = 0, dropped = 0, kept = 0;
  for (const Finding& finding : work.findings) {
    embedded += finding.decision == Decision::embed;
    converted += finding.decision == Decision::convert;
    placeholders += finding.decision == Decision::placeholder && finding.picture != Finding::kNone;
    // A part that goes counts, what named it does not.
    dropped += finding.decision == Decision::drop &&
               (finding.html == Finding::kNone || finding.source != Source::part);
    kept += finding.failed;
  }
  std::string text;
  const auto count = [&](std::size_t n, std::string_view what) {
    if (n == 0) return;
    text.append(text.empty() ? "" : ", ").append(std::to_string(n)).append(" ").append(what);
  };
  count(embedded, "embedded");
  count(converted, "converted");
  count(placeholders, placeholders == 1 ? "placeholder" : "placeholders");
  count(dropped, "dropped");
  count(kept, "left");
  std::size_t skipped = 0;
  for (const HtmlText& html : work.texts) skipped += html.scan.skipped;
  count(skipped, "skipped");
  return text.empty() ? "nothing to do" : text;
}

// No picture and no mark: only what nobody asked us about.
bool nothing_found(const Work& work) {
  for (const Finding& finding : work.findings)
    if (!finding.silent) return false;
  return !has_removals(work);
}

double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void note_what_was_left(const Work& work, Outcome& outcome) {
  for (const Finding& finding : work.findings)
    if (finding.failed)
      outcome.notes.push_back("part " + (finding.part_number.empty() ? "1" : finding.part_number) + " " +
                              label_for_log(finding) + ": " + finding.reason);
}

// Nothing is done after all: the message would grow beyond what the rules allow.
void leave_all(Work& work, const std::string& reason) {
  for (Finding& finding : work.findings) {
    if (finding.decision == Decision::keep) continue;
    finding.decision = Decision::keep;
    finding.failed = true;
    finding.failure = config::Failure::limit;
    finding.reason = reason;
  }
}

// The changed message, verified: parsed again, it is the old one with what was meant and nothing else.
Result<Outcome> assembled(const mail::Message& message, const Work& work, const Assembly& assembly,
                          Report* report) {
  // Sorted, non-overlapping edits of the original bytes, and changes of header fields.
  Outcome attempt;
  attempt.header_changes = assembly.header_changes;
  std::string whole = changed_header(message, attempt.header_changes);
  const std::size_t body_begin = whole.size();
  if (Status applied = assembly.body_edits.append_to(whole, message.bytes(), message.body_begin()); !applied)
    return applied.error();
  mail::Message changed(std::move(whole));
  if (Status verified = verify(work, assembly, changed); !verified)
    return Error{"verification failed: " + verified.error().text};
  if (report != nullptr) {
    if (const Result<mail::MimeTree> tree = mail::MimeTree::parse(changed)) report->after = part_lines(*tree);
    if (report->with_bytes) report->message_after = changed.bytes();
  }
  attempt.body = NewBody(std::move(changed).take(), body_begin);
  return attempt;
}

}  // namespace

std::string Pipeline::nothing_for(const mail::Envelope& envelope) const {
  return may_concern(settings_, envelope) ? std::string() : "not outgoing";
}

std::string Pipeline::nothing_to_do(const mail::Message& headers, const mail::Envelope& envelope,
                                    std::string* rule, std::vector<Forced>* forced) const {
  MessageFacts facts(headers, envelope, false);
  const Plan plan = decide(settings_, facts);
  if (rule != nullptr) *rule = rule_of(plan);
  if (forced != nullptr) *forced = plan.forced;
  if (plan.open) return {};
  if (plan.action == config::MessageAction::skip) return plan.reason;
  if (plan.action != config::MessageAction::rewrite || !plan.add_headers.empty()) return {};
  if (std::string reason = untouched_reason(headers, envelope, plan); !reason.empty()) return reason;
  if (plan.policy.max_message_bytes > 0) return {};  // its size counts
  // One part that neither is a picture nor could name one. One plain Content-Type field; anything odd is left
  // to a look at the whole message.
  const mail::HeaderField* type = headers.find("Content-Type");
  if (type == nullptr) return headers.malformed_header() ? "" : "nothing to do";
  if (headers.count("Content-Type") != 1) return {};
  const std::string value =
      ascii::to_lower(ascii::trim(type->raw_value.substr(0, type->raw_value.find(';'))));
  if (value == "application/octet-stream" &&
      std::any_of(plan.images.begin(), plan.images.end(), [](const auto* rules) { return !rules->empty(); }))
    return {};
  for (const std::string_view family : {"text/", "application/", "audio/", "video/"})
    if (value.starts_with(family) && value != "text/html" && value != "application/x-npy")
      return "nothing to do";
  return {};
}

Outcome Pipeline::run(const mail::Message& message, const mail::Envelope& envelope, Deadline deadline,
                      Report* report) const {
  const Clock::time_point start = Clock::now();
  Outcome outcome;
  outcome.bytes_before = outcome.bytes_after = message.bytes().size();
  try {
    run_passes({message, envelope, deadline, outcome, report});
  } catch (const std::exception& failure) {
    // Out of memory, most likely. Nothing has left yet.
    outcome = Outcome{};
    outcome.bytes_before = outcome.bytes_after = message.bytes().size();
    outcome.summary = std::string("untouched: internal error: ") + failure.what();
  }
  if (report != nullptr) report->total_ms = since(start);
  return outcome;
}

void Pipeline::run_passes(const Run& run) const {
  Outcome& outcome = run.outcome;
  // Decide: envelope, header and size choose a rule for each recipient; the strictest plan is the message's.
  MessageFacts facts(run.message, run.envelope, true);
  Plan plan = decide(settings_, facts, run.report != nullptr);
  if (run.report != nullptr) run.report->plan = plan;
  outcome.rule = rule_of(plan);
  outcome.forced = plan.forced;
  const bool audit = plan.mode == config::Mode::audit;
  if (plan.action == config::MessageAction::skip) return untouched(outcome, plan.reason);
  if (plan.action != config::MessageAction::rewrite) {
    outcome.summary = std::string(audit ? "audit, would be: " : "") + std::string(config::name(plan.action)) +
                      ": " + plan.reason;
    if (audit) return;
    outcome.verdict = verdict_of(plan.action);
    outcome.reply = plan.reply;
    return;
  }
  Outcome change;
  for (const auto& [header, value] : plan.add_headers)
    if (run.message.count(header) == 0 && (plan.signed_allowed || !signature_covers(run.message, header)))
      change.header_changes.push_back({mail::HeaderChange::Kind::append, header, 0, " " + value});
  const std::string done = rewrite(run, plan, change);
  if (change.changed()) outcome.bytes_after = carried_out_size(run.message, change);

  // Send: only now anything can reach the MTA. In audit mode the original goes on all the same.
  const bool marked = !change.body && change.changed();  // by add_header alone
  std::string what = marked ? "header added" : change.body ? "rewritten" : "untouched";
  if (audit && marked)
    what = "header would be added";
  else if (audit && change.body)
    what +=
        ", " + std::to_string(outcome.bytes_before) + " to " + std::to_string(outcome.bytes_after) + " bytes";
  what += ": " + done;
  const bool refused = change.verdict == Verdict::reject || change.verdict == Verdict::tempfail;
  if (change.verdict != Verdict::accept)
    what = std::string(word(change.verdict)) + ": " + change.reply + (refused ? "" : "; " + what);
  if (audit) {
    const bool accepted = change.verdict == Verdict::accept;
    outcome.summary = (!accepted ? "audit, would be: " : marked ? "audit, " : "audit, would be ") + what;
    outcome.audited = change.body && !refused;
    return;
  }
  outcome.summary = std::move(what);
  outcome.verdict = change.verdict;
  outcome.reply = std::move(change.reply);
  outcome.header_changes = std::move(change.header_changes);
  outcome.body = std::move(change.body);
}

std::string Pipeline::rewrite(const Run& run, const Plan& plan, Outcome& change) const {
  const mail::Message& message = run.message;
  // Look ahead: what holds no picture and could name none is not parsed at all.
  const bool over = over_budget(message, plan);
  if (run.report == nullptr && !over && !may_hold_pictures(message, plan, services_.fetcher != nullptr))
    return "nothing to do";
  if (services_.at_work) services_.at_work();

  // Parse: parts with their offsets. A message that could be read in two ways ends here.
  const Result<mail::MimeTree> tree = mail::MimeTree::parse(message);
  if (!tree) return tree.error().text;
  if (run.report != nullptr) run.report->before = part_lines(*tree);
  if (std::string reason = untouched_reason(message, run.envelope, plan); !reason.empty()) return reason;

  // Scan: references in HTML and parts that carry pixels, but for what must keep its bytes.
  Work work(message, *tree, plan);
  work.shared_cache_time = settings_.cache.redis_timeout;
  find(work, protected_parts(*tree));
  if (has_inline_pgp(work)) return "inline PGP";
  if (run.report != nullptr) {
    run.report->asset_root = source::asset_root(settings_, plan.policy).full();
    for (const HtmlText& html : work.texts) run.report->skipped += html.scan.skipped;
  }
  judge_links(work, services_);

  // Plan and resolve: each distinct picture once, with its bytes and what the rules want of it.
  const Deadline pictures_ready = for_pictures(run.deadline);
  resolve(work, settings_, services_, pictures_ready);
  if (run.report == nullptr && !over && nothing_found(work)) return "nothing to do";
  // Remove: what goes with the pictures that rules drop.
  remove(work);

  // Render: only what needs it, and was not made before.
  const Clock::time_point start = Clock::now();
  render(work, services_, settings_, pictures_ready);
  if (run.report != nullptr) run.report->render_ms = since(start);

  // Assemble and verify; over budget, again with smaller pictures.
  std::string problem;
  Result<Assembly> assembly = Assembly{};
  for (int round = 0;; ++round) {
    conclude(work);
    assembly = assemble_(work);
    if (!assembly) return "internal error: " + assembly.error().text;
    if (assembly->empty() && !over) break;
    Outcome whole = change;
    if (!assembly->empty()) {
      Result<Outcome> attempt = assembled(message, work, *assembly, run.report);
      if (!attempt) return "internal error: " + attempt.error().text;
      whole.header_changes.insert(whole.header_changes.begin(), attempt->header_changes.begin(),
                                  attempt->header_changes.end());
      whole.header_changes.push_back(
          {mail::HeaderChange::Kind::append, "X-Pixmilter", 0, " " PIXMILTER_VERSION "; " + counted(work)});
      whole.body = std::move(attempt->body);
    }
    const std::uint64_t budget = plan.policy.max_message_bytes;
    const std::uint64_t size = budget == 0 ? 0 : carried_out_size(message, whole);
    if (size <= budget) {
      change = std::move(whole);
      break;
    }
    if (round == kBudgetRounds || pictures_ready.passed() || !shrink_pictures(work, size - budget)) {
      problem = std::to_string(size) + " bytes are more than max_message_bytes = " + std::to_string(budget);
      leave_all(work, problem);
      if (run.report != nullptr) run.report->after.clear(), run.report->message_after.clear();
      break;
    }
    render(work, services_, settings_, pictures_ready);
  }
  note_what_was_left(work, run.outcome);
  if (!problem.empty() && run.outcome.notes.empty()) run.outcome.notes.push_back("the message: " + problem);
  run.outcome.findings = work.findings;
  if (run.report != nullptr && run.report->with_bytes) run.report->pictures = report_pictures(work);
  change.verdict = verdict_of(work, problem, change);
  return problem.empty() ? counted(work) : problem;
}

}  // namespace pixmilter::core
