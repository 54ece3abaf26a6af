#include "core/decide.h"

#include <algorithm>
#include <map>
#include <type_traits>

namespace pixmilter::core {
namespace {

using config::Condition;
using config::Key;
using config::MessageAction;
using config::Mode;

bool speaks_of_signatures(const config::Rule& rule) {
  const std::vector<Condition>& match = rule.conditions.match;
  return std::any_of(match.begin(), match.end(), [](const Condition& condition) {
    return condition.key == Key::dkim_signed && condition.truth.value_or(true);
  });
}

enum class Which : std::uint8_t { all, of_message, of_recipient };

bool is_one(const Condition& condition, Which which) {
  return which == Which::all || (condition.key == Key::rcpt) == (which == Which::of_recipient);
}

// Whether all conditions hold; nothing when that depends on what is not known yet.
std::optional<bool> all_hold(const std::vector<Condition>& conditions, MessageFacts& facts,
                             const std::string& recipient, const char* prefix,
                             std::vector<ConditionTrace>* trace, Which which = Which::all) {
  bool open = false, failed = false;
  for (const Condition& condition : conditions) {
    if (!is_one(condition, which)) continue;
    const std::optional<bool> holds = facts.holds(condition, recipient);
    if (trace != nullptr)
      trace->push_back({prefix + condition.text, holds.value_or(false), holds.has_value()});
    open = open || !holds;
    failed = failed || (holds && !*holds);
    if (failed && trace == nullptr) break;
  }
  if (failed) return false;
  return open ? std::nullopt : std::optional(true);
}

// How the conditions came out that do not look at the recipient: with a thousand rules and ten recipients
// they are not judged ten times. Filled as they are asked for.
struct OfMessage {
  using Verdict = std::optional<bool>;  // as all_hold() has it
  std::optional<Verdict> match, unless;
};

// The same as all_hold(), with what is of the message taken from known or put there.
std::optional<bool> all_hold(const std::vector<Condition>& conditions, MessageFacts& facts,
                             const std::string& recipient, std::optional<OfMessage::Verdict>& known) {
  if (!known) known = all_hold(conditions, facts, recipient, "", nullptr, Which::of_message);
  if (*known && !**known) return false;
  const auto mine = all_hold(conditions, facts, recipient, "", nullptr, Which::of_recipient);
  return mine && !*mine ? mine : *known ? mine : std::nullopt;
}

// of_message: this rule's, or nullptr to judge all for this recipient alone, as a trace needs it.
RuleTrace judge(const config::Rule& rule, MessageFacts& facts, const std::string& recipient, bool outgoing,
                bool keep_trace, OfMessage* of_message) {
  RuleTrace out;
  out.rule = &rule;
  if (!outgoing && !speaks_of_client(rule.conditions)) {
    out.note = "not outgoing";
    return out;
  }
  std::vector<ConditionTrace>* trace = keep_trace ? &out.conditions : nullptr;
  const std::optional<bool> match = of_message != nullptr
                                        ? all_hold(rule.conditions.match, facts, recipient, of_message->match)
                                        : all_hold(rule.conditions.match, facts, recipient, "", trace);
  std::optional<bool> unless = false;
  if (!rule.conditions.unless.empty() && (keep_trace || match.value_or(true)))
    unless = of_message != nullptr ? all_hold(rule.conditions.unless, facts, recipient, of_message->unless)
                                   : all_hold(rule.conditions.unless, facts, recipient, "unless ", trace);
  if ((match && !*match) || (unless && *unless)) return out;
  out.matched = match.has_value() && unless.has_value();
  out.open = !out.matched;
  return out;
}

RecipientPlan plan_for(const std::string& recipient, const config::Settings& settings, MessageFacts& facts,
                       bool outgoing, bool keep_trace, std::vector<OfMessage>& of_message) {
  RecipientPlan plan;
  plan.recipient = recipient;
  plan.mode = settings.mode;
  plan.rule_name = "defaults";
  for (std::size_t i = 0; i < settings.rules.size(); ++i) {
    const config::Rule& rule = settings.rules[i];
    OfMessage* const known = of_message.empty() ? nullptr : &of_message[i];
    RuleTrace trace = judge(rule, facts, recipient, outgoing, keep_trace, known);
    const bool ends = trace.matched || trace.open;
    if (keep_trace || ends) plan.trace.push_back(std::move(trace));
    if (!ends) continue;
    plan.rule = &rule;
    plan.rule_name = rule.name;
    plan.action = rule.action;
    plan.mode = rule.mode.value_or(settings.mode);
    return plan;
  }
  if (!outgoing) {
    plan.action = MessageAction::skip;
    plan.why = "not outgoing";
  }
  return plan;
}

// Merges the plans of the recipients into the message's, and keeps in mind whose value stands where they
// differ.
class Merger {
 public:
  explicit Merger(Plan& out) : out_(out) {}

  void add(const RecipientPlan& plan, const config::Policy& policy) {
    // Who wants nothing to be looked at knows no action, and takes none from another.
    const bool off = plan.mode == Mode::off && plan.action != MessageAction::skip;
    const MessageAction action = off ? MessageAction::rewrite : plan.action;
    if (first_ || action > out_.action || (action == out_.action && earlier_in_file(plan))) {
      rule_of_action_ = plan.rule;
      out_.reply = plan.rule != nullptr ? plan.rule->reply : std::string();
      out_.reason = !plan.why.empty() ? plan.why : "rule \"" + plan.rule_name + "\"";
    }
    config::Policy& mine = out_.policy;
    merge("action", out_.action, action, action > out_.action, plan);
    merge_mode(plan);
    merge("max_images", mine.max_images, policy.max_images, policy.max_images < mine.max_images, plan);
    // 0 is no budget: one less is the largest number.
    merge("max_message_bytes", mine.max_message_bytes, policy.max_message_bytes,
          policy.max_message_bytes - 1 < mine.max_message_bytes - 1, plan);
    merge("strip_metadata", mine.strip_metadata, policy.strip_metadata,
          policy.strip_metadata > mine.strip_metadata, plan);
    merge("templates = false", mine.templates, policy.templates, mine.templates && !policy.templates, plan);
    // No folder is the stricter one of two: who may see one must not be sent the other's pictures.
    out_.assets_differ = out_.assets_differ || (!first_ && mine.assets != policy.assets);
    mine.assets = policy.assets;
    merge("min_side", mine.min_side, policy.min_side, policy.min_side > mine.min_side, plan);
    for (std::size_t i = 0; i < config::kFailures; ++i)
      merge(on_fail(i), mine.on_fail[i], policy.on_fail[i], policy.on_fail[i] > mine.on_fail[i], plan);
    const std::pair<const char*, bool config::Sources::*> sources[] = {
        {"data", &config::Sources::data}, {"part", &config::Sources::part},
        {"svg", &config::Sources::svg},   {"asset", &config::Sources::asset},
        {"file", &config::Sources::file}, {"http", &config::Sources::http}};
    for (const auto& [source, member] : sources)
      merge("sources without " + std::string(source), mine.sources.*member, policy.sources.*member,
            mine.sources.*member && !(policy.sources.*member), plan);
    first_ = false;
  }

  void finish() {
    finish_mode();
    const bool all_failures = same_for_all_failures();
    for (auto& [what, setting] : settings_) {
      if (!setting.differs) continue;
      const bool of_all = all_failures && what.starts_with(kOnFail);
      if (of_all && what != on_fail(0)) continue;
      out_.forced.push_back(
          {(of_all ? "on_fail" : what) + setting.value, setting.plan->recipient, setting.plan->rule_name});
    }
    if (!out_.assets_differ) return;
    // Nobody alone forced that: the one whose rule stands last is named, whatever the order of recipients.
    const auto place = [](const RecipientPlan& plan) {
      return std::pair(plan.rule == nullptr ? UINT32_MAX : plan.rule->line, std::string_view(plan.recipient));
    };
    const auto last =
        std::max_element(out_.recipients.begin(), out_.recipients.end(),
                         [&](const RecipientPlan& a, const RecipientPlan& b) { return place(a) < place(b); });
    out_.forced.push_back({"no assets", last->recipient, last->rule_name});
  }

 private:
  static constexpr std::string_view kOnFail = "on_fail.";

  struct Setting {
    const RecipientPlan* plan = nullptr;  // who asked for the strictest
    std::string value;                    // " = 7"
    bool differs = false;
  };

  static std::string on_fail(std::size_t failure) {
    return std::string(kOnFail) + std::string(config::name(static_cast<config::Failure>(failure)));
  }

  // One recipient wants one thing whatever fails: that is one setting to people.
  bool same_for_all_failures() {
    const Setting& first = settings_[on_fail(0)];
    for (std::size_t i = 0; i < config::kFailures; ++i) {
      const Setting& other = settings_[on_fail(i)];
      if (!other.differs || other.plan != first.plan || other.value != first.value) return false;
    }
    return true;
  }

  template <class T>
  void merge(const std::string& what, T& mine, const T& theirs, bool stricter, const RecipientPlan& plan) {
    Setting& setting = settings_[what];
    if (!first_ && mine != theirs) setting.differs = true;
    // Where two ask for the same, the rule that stands first in the file is named, as for the action.
    const bool same = !first_ && mine == theirs && stands_before(plan.rule, setting.plan->rule);
    if (!first_ && !stricter && !same) return;
    mine = theirs;
    setting.plan = &plan;
    setting.value = written(theirs);
  }

  template <class T>
  static std::string written(const T& value) {
    if constexpr (std::is_same_v<T, bool>)
      return {};
    else if constexpr (std::is_integral_v<T>)
      return " = " + std::to_string(value);
    else
      return " = " + std::string(config::name(value));
  }

  // Off is apart: it leaves the message alone, but for what another recipient's rule has it refused or held.
  void merge_mode(const RecipientPlan& plan) {
    if (plan.mode == Mode::off) {
      if (off_ == nullptr || stands_before(plan.rule, off_->rule)) off_ = &plan;
      return;
    }
    Setting& setting = settings_["mode"];
    const bool first = setting.plan == nullptr;
    if (!first && out_.mode != plan.mode) setting.differs = true;
    const bool same = !first && out_.mode == plan.mode && stands_before(plan.rule, setting.plan->rule);
    if (!first && plan.mode <= out_.mode && !same) return;
    out_.mode = plan.mode;
    setting.plan = &plan;
    setting.value = written(plan.mode);
  }

  void finish_mode() {
    Setting& setting = settings_["mode"];
    const bool all_off = setting.plan == nullptr;
    if (off_ == nullptr || (!all_off && out_.action > MessageAction::skip)) return;
    out_.mode = Mode::off;
    setting = {off_, written(Mode::off), !all_off};
  }

  // Two rules ask for the same: the one that stands first in the file speaks, whatever the order of
  // recipients.
  bool earlier_in_file(const RecipientPlan& plan) const { return stands_before(plan.rule, rule_of_action_); }
  // No rule stands behind all of them.
  static bool stands_before(const config::Rule* one, const config::Rule* other) {
    return one != nullptr && (other == nullptr || one < other);
  }

  Plan& out_;
  std::map<std::string, Setting> settings_;
  const RecipientPlan* off_ = nullptr;  // the first in the file that is off
  const config::Rule* rule_of_action_ = nullptr;
  bool first_ = true;
};

}  // namespace

Plan decide(const config::Settings& settings, MessageFacts& facts, bool keep_trace) {
  Plan out;
  const bool outgoing = is_outgoing(facts.envelope());
  std::vector<std::string> recipients = facts.envelope().recipients;
  if (recipients.empty()) recipients.emplace_back();
  Merger merger(out);
  out.signed_allowed = true;
  out.traced = keep_trace;
  std::vector<OfMessage> of_message;
  if (recipients.size() > 1 && !keep_trace) of_message.resize(settings.rules.size());
  out.recipients.reserve(recipients.size());  // the merger points into it
  for (const std::string& recipient : recipients) {
    out.recipients.push_back(plan_for(recipient, settings, facts, outgoing, keep_trace, of_message));
    const RecipientPlan& plan = out.recipients.back();
    merger.add(plan, plan.rule != nullptr ? plan.rule->policy : settings.defaults);
    out.open = out.open || (!plan.trace.empty() && plan.trace.back().open);
    out.signed_allowed = out.signed_allowed && plan.rule != nullptr && speaks_of_signatures(*plan.rule);
    static const std::vector<config::ImageRule> none;
    const std::vector<config::ImageRule>* images = plan.rule != nullptr ? &plan.rule->images : &none;
    if (std::find(out.images.begin(), out.images.end(), images) == out.images.end())
      out.images.push_back(images);
    if (plan.rule == nullptr) continue;
    for (const auto& header : plan.rule->add_headers)
      if (std::find(out.add_headers.begin(), out.add_headers.end(), header) == out.add_headers.end())
        out.add_headers.push_back(header);
  }
  merger.finish();
  if (out.mode == Mode::off && out.action != MessageAction::skip) {
    out.action = MessageAction::skip;
    out.reason = "mode off";
  }
  // In the order of the file, whatever the order of recipients.
  std::sort(out.add_headers.begin(), out.add_headers.end());
  std::sort(out.images.begin(), out.images.end());
  return out;
}

bool may_concern(const config::Settings& settings, const mail::Envelope& envelope) {
  if (is_outgoing(envelope)) return true;
  const mail::Message nothing{std::string()};
  MessageFacts facts(nothing, envelope, false);
  return std::any_of(settings.rules.begin(), settings.rules.end(), [&](const config::Rule& rule) {
    // What the client is, fails or holds for good; all else can still come.
    const std::vector<Condition>& match = rule.conditions.match;
    return config::speaks_of_client(rule.conditions) &&
           std::all_of(match.begin(), match.end(), [&](const Condition& condition) {
             return !config::is_of_client(condition.key) || facts.holds(condition, {}).value_or(true);
           });
  });
}

config::ImagePlan stricter(const config::ImagePlan& a, const config::ImagePlan& b) {
  // 0 means that no bound is given.
  const auto smaller = [](auto x, auto y) { return x == 0 ? y : y == 0 ? x : std::min(x, y); };
  config::ImagePlan out;
  out.action = std::max(a.action, b.action);
  out.format = std::max(a.format, b.format);
  out.quality = std::min(a.quality, b.quality);
  out.lossy = a.lossy || b.lossy;
  out.resize = std::max(a.resize, b.resize);
  out.width = smaller(a.width, b.width);
  out.height = smaller(a.height, b.height);
  out.enlarge = a.enlarge && b.enlarge;
  out.density = std::min(a.density, b.density);
  out.max_bytes = smaller(a.max_bytes, b.max_bytes);
  out.all_pages = a.all_pages && b.all_pages;
  // Whoever is the stricter says why; of two that are, the same one in any order.
  out.reason =
      a.action != b.action ? (a.action > b.action ? a.reason : b.reason) : std::min(a.reason, b.reason);
  return out;
}

std::string rule_of(const Plan& plan) {
  if (plan.recipients.empty()) return "defaults";
  const RecipientPlan& first = plan.recipients.front();
  for (const RecipientPlan& other : plan.recipients)
    if (other.rule != first.rule) return "several";
  return first.rule == nullptr ? "defaults" : first.rule_name;
}

}  // namespace pixmilter::core
