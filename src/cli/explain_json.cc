// The JSON form of explain: the same facts, under names that stay.
#include <nlohmann/json.hpp>

#include "cli/explain_text.h"

namespace pixmilter::cli {
namespace {

using Json = nlohmann::ordered_json;

Json parts(const std::vector<core::PartLine>& lines) {
  Json out = Json::array();
  for (const core::PartLine& line : lines)
    out.push_back({{"part", line.number},
                   {"depth", line.depth},
                   {"type", line.type},
                   {"encoding", line.encoding},
                   {"disposition", line.disposition},
                   {"name", line.name},
                   {"content_id", line.content_id},
                   {"bytes", line.bytes},
                   {"never_touched", line.note}});
  return out;
}

Json conditions(const std::vector<core::ConditionTrace>& traces) {
  Json out = Json::array();
  for (const core::ConditionTrace& trace : traces)
    out.push_back({{"condition", trace.text}, {"holds", trace.holds}});
  return out;
}

Json forced(const std::vector<core::Forced>& list) {
  Json out = Json::array();
  for (const core::Forced& one : list)
    out.push_back({{"what", one.what}, {"recipient", one.recipient}, {"rule", one.rule_name}});
  return out;
}

Json rules(const core::Plan& plan) {
  Json recipients = Json::array();
  for (const core::RecipientPlan& recipient : plan.recipients) {
    Json trace = Json::array();
    for (const core::RuleTrace& rule : recipient.trace) {
      trace.push_back({{"rule", rule.rule->name},
                       {"line", rule.rule->line},
                       {"matched", rule.matched},
                       {"note", rule.note},
                       {"conditions", conditions(rule.conditions)}});
    }
    recipients.push_back({{"recipient", recipient.recipient},
                          {"rule", recipient.rule == nullptr ? Json() : Json(recipient.rule_name)},
                          {"action", config::name(recipient.action)},
                          {"mode", config::name(recipient.mode)},
                          {"why", recipient.why},
                          {"trace", trace}});
  }
  return {{"action", config::name(plan.action)},
          {"mode", config::name(plan.mode)},
          {"recipients", recipients},
          {"forced", forced(plan.forced)}};
}

Json picture(const core::Finding& finding) {
  const bool reference = finding.html != core::Finding::kNone;
  Json out = {{"part", finding.part_number},
              {"source", core::name(finding.source)},
              {"place", reference          ? std::string(html::name(finding.place))
                        : finding.external ? "external body"
                                           : "part"},
              {"label", finding.label},
              {"decision", core::name(finding.decision)},
              {"reason", finding.reason},
              {"failed", finding.failed},
              {"rule", finding.ruled},
              {"format", image::name(finding.format)},
              {"width", finding.width_before},
              {"height", finding.height_before},
              {"bytes", finding.bytes_before}};
  if (!finding.note.empty()) out["note"] = finding.note;
  Json trace = Json::array();
  for (const core::ImageRuleTrace& rule : finding.trace)
    trace.push_back({{"line", rule.rule->line},
                     {"action", config::name(rule.rule->plan.action)},
                     {"matched", rule.matched},
                     {"note", rule.note},
                     {"conditions", conditions(rule.conditions)}});
  out["trace"] = std::move(trace);
  out["forced"] = forced(finding.forced);
  if (finding.decision != core::Decision::keep && finding.new_format != image::Format::unknown)
    out["result"] = {{"format", image::name(finding.new_format)},
                     {"width", finding.width},
                     {"height", finding.height},
                     {"bytes", finding.bytes_after},
                     {"hurried", finding.hurried},
                     {"name", finding.new_name}};
  return out;
}

std::string_view verdict(core::Verdict verdict) {
  switch (verdict) {
    case core::Verdict::accept:
      return "accept";
    case core::Verdict::reject:
      return "reject";
    case core::Verdict::tempfail:
      return "tempfail";
    case core::Verdict::quarantine:
      return "quarantine";
  }
  return "?";
}

}  // namespace

std::string explained_as_json(const Explanation& e) {
  Json pictures = Json::array();
  for (const core::Finding& finding : e.outcome.findings) pictures.push_back(picture(finding));
  const Json out = {{"version", PIXMILTER_VERSION},
                    {"outcome", e.outcome.summary},
                    {"changed", e.outcome.changed()},
                    {"verdict", verdict(e.outcome.verdict)},
                    {"reply", e.outcome.reply},
                    {"bytes_before", e.outcome.bytes_before},
                    {"bytes_after", e.outcome.bytes_after},
                    {"rules", rules(e.report.plan)},
                    {"pictures", pictures},
                    {"skipped", e.report.skipped},
                    {"asset_root", e.report.asset_root},
                    {"parts_before", parts(e.report.before)},
                    {"parts_after", parts(e.report.after)},
                    {"milliseconds", {{"total", e.report.total_ms}, {"render", e.report.render_ms}}}};
  // What is no UTF-8 in a message is replaced, not an error.
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pixmilter::cli
