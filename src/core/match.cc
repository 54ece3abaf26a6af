#include "core/match.h"

#include <algorithm>

#include "base/ascii.h"
#include "mail/header_text.h"

namespace pixmilter::core {
namespace {

using config::Condition;
using config::Key;

bool matches_any(const Condition& condition, std::string_view text) {
  return std::any_of(condition.patterns.begin(), condition.patterns.end(),
                     [&](const config::Pattern& pattern) { return pattern.matches(text); });
}

bool matches_any(const Condition& condition, const std::vector<std::string>& texts) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return matches_any(condition, text); });
}

bool compares(const Condition& condition, double number) {
  return std::any_of(condition.comparisons.begin(), condition.comparisons.end(),
                     [&](const config::Comparison& comparison) { return comparison.holds(number); });
}

bool in_nets(const Condition& condition, std::string_view address) {
  if (address.empty()) return false;
  return std::any_of(condition.nets.begin(), condition.nets.end(),
                     [&](const config::Net& net) { return net.contains(address); }) ||
         std::any_of(condition.patterns.begin(), condition.patterns.end(),
                     [&](const config::Pattern& pattern) { return pattern.matches_address(address); });
}

template <class T>
bool compares(const Condition& condition, const std::optional<T>& number) {
  return number && compares(condition, static_cast<double>(*number));
}

}  // namespace

bool is_outgoing(const mail::Envelope& envelope) {
  static const config::Net loopback4 = *config::Net::parse("127.0.0.0/8");
  static const config::Net loopback6 = *config::Net::parse("::1");
  return envelope.local || !envelope.authenticated_user.empty() ||
         loopback4.contains(envelope.client_address) || loopback6.contains(envelope.client_address);
}

const std::vector<std::string>& MessageFacts::addresses_of(const char* name,
                                                           std::optional<std::vector<std::string>>& cache) {
  if (!cache) cache.emplace();
  for (const mail::HeaderField& field : message_.fields()) {
    if (!ascii::iequals(field.name, name)) continue;
    for (std::string& address : mail::addresses(field.raw_value)) cache->push_back(std::move(address));
  }
  return *cache;
}

// A mailing list's (RFC 2369, RFC 2919), or bulk as lists have long marked it.
bool MessageFacts::is_list() const {
  for (const char* name : {"List-Id", "List-Post", "List-Unsubscribe"})
    if (message_.count(name) > 0) return true;
  const mail::HeaderField* precedence = message_.find("Precedence");
  if (precedence == nullptr) return false;
  const std::string_view value = ascii::trim(precedence->raw_value);
  return ascii::iequals(value, "list") || ascii::iequals(value, "bulk");
}

std::optional<bool> MessageFacts::holds(const Condition& condition, const std::string& recipient) {
  const auto truth = [&](bool fact) { return fact == condition.truth.value_or(true); };
  switch (condition.key) {
    case Key::ip:
      return in_nets(condition, envelope_.client_address);
    case Key::local:
      return truth(envelope_.local);
    case Key::authenticated:
      return truth(!envelope_.authenticated_user.empty());
    case Key::user:
      return !envelope_.authenticated_user.empty() && matches_any(condition, envelope_.authenticated_user);
    case Key::from:
      return envelope_.sender_known && matches_any(condition, envelope_.sender);
    case Key::from_mime:
      if (!from_) addresses_of("From", from_);
      return matches_any(condition, *from_);
    case Key::rcpt:
      return !recipient.empty() && matches_any(condition, recipient);
    case Key::rcpt_mime:
      if (!rcpt_) {
        addresses_of("To", rcpt_);
        addresses_of("Cc", rcpt_);
      }
      return matches_any(condition, *rcpt_);
    case Key::header:
      for (const mail::HeaderField& field : message_.fields())
        if (ascii::iequals(field.name, condition.header) &&
            matches_any(condition, mail::unstructured(field.raw_value)))
          return true;
      return false;
    case Key::hostname:
      return !envelope_.client_name.empty() && matches_any(condition, envelope_.client_name);
    case Key::daemon_name:
      return !envelope_.daemon_name.empty() && matches_any(condition, envelope_.daemon_name);
    case Key::size:
      if (!complete_) return std::nullopt;
      return compares(condition, static_cast<double>(message_.bytes().size()));
    case Key::subject:
      if (!subject_) {
        const mail::HeaderField* field = message_.find("Subject");
        subject_ = field == nullptr ? std::string() : mail::unstructured(field->raw_value);
      }
      return matches_any(condition, *subject_);
    case Key::list:
      return truth(is_list());
    case Key::dkim_signed:
      return truth(message_.count("DKIM-Signature") > 0 || message_.count("ARC-Seal") > 0);
    default:
      return false;
  }
}

bool holds(const Condition& condition, const ImageFacts& facts) {
  const auto truth = [&](const std::optional<bool>& fact) {
    return fact && *fact == condition.truth.value_or(true);
  };
  switch (condition.key) {
    case Key::source:
      return matches_any(condition, name(facts.source));
    case Key::type:
      return matches_any(condition, facts.type);
    case Key::width:
      return compares(condition, facts.width);
    case Key::height:
      return compares(condition, facts.height);
    case Key::megapixels:
      // A quotient of whole numbers is the double that the same number written in the file is read as.
      return facts.width && facts.height && compares(condition, double(*facts.width) * *facts.height / 1e6);
    case Key::bytes:
      return compares(condition, facts.bytes);
    case Key::frames:
      return compares(condition, facts.frames);
    case Key::alpha:
      return truth(facts.alpha);
    case Key::gps:
      return truth(facts.gps);
    case Key::attachment:
      return truth(facts.attachment);
    default:
      return false;
  }
}

namespace {

// Noted one by one where there is a trace; else only until one fails.
bool all_hold(const std::vector<Condition>& conditions, const ImageFacts& facts, const char* prefix,
              ImageRuleTrace* trace) {
  bool all = true;
  for (const Condition& condition : conditions) {
    const bool fits = holds(condition, facts);
    if (trace != nullptr) trace->conditions.push_back({prefix + condition.text, fits, true});
    all = all && fits;
    if (!all && trace == nullptr) break;
  }
  return all;
}

bool fits(const config::ImageRule& rule, const ImageFacts& facts, ImageRuleTrace* trace) {
  const std::vector<Condition>& match = rule.conditions.match;
  const std::vector<Condition>& unless = rule.conditions.unless;
  if (facts.attachment &&
      std::none_of(match.begin(), match.end(), [](const Condition& c) { return c.key == Key::attachment; })) {
    if (trace != nullptr) trace->note = "means no attachments: its match does not say attachment = true";
    return false;
  }
  const bool meant = all_hold(match, facts, "", trace);
  if (unless.empty() || (!meant && trace == nullptr)) return meant;
  return !all_hold(unless, facts, "unless ", trace) && meant;
}

}  // namespace

const config::ImageRule* first_match(const std::vector<config::ImageRule>& rules, const ImageFacts& facts,
                                     std::vector<ImageRuleTrace>* trace) {
  for (const config::ImageRule& rule : rules) {
    ImageRuleTrace* noted = nullptr;
    if (trace != nullptr) {
      noted = &trace->emplace_back();
      noted->rule = &rule;
    }
    if (!fits(rule, facts, noted)) continue;
    if (noted != nullptr) noted->matched = true;
    return &rule;
  }
  return nullptr;
}

}  // namespace pixmilter::core
