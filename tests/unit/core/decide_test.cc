#include "core/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "config/load.h"
#include "core/image_plan.h"
#include "mail/mime_tree.h"

namespace pixmilter::core {
namespace {

class DecideTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { mail::initialise_mime(); }

  void load(const std::string& toml) {
    config::Loaded loaded = config::load_text(toml, "t.toml");
    ASSERT_TRUE(loaded.ok()) << loaded.problems[0].text();
    settings_ = std::move(loaded.settings);
  }
  Plan decide(bool complete = true) {
    const mail::Message message(text_);
    MessageFacts facts(message, envelope_, complete);
    return core::decide(settings_, facts, true);
  }
  // Whether a rule with this match (and unless) speaks for the message.
  bool matches(const std::string& match, const std::string& unless = "") {
    load("[[rule]]\nmatch = { " + match + " }\n" + (unless.empty() ? "" : "unless = { " + unless + " }\n"));
    return decide().recipients[0].rule != nullptr;
  }
  static mail::Envelope envelope() {
    mail::Envelope envelope;
    envelope.local = true;
    envelope.sender = "reports@Example.org";
    envelope.recipients = {"joe@partner.example"};
    return envelope;
  }

  config::Settings settings_;
  mail::Envelope envelope_ = envelope();
  std::string text_ =
      "From: \"Re, ports\" <r@mime.example>\nTo: A <a@to.example>, group: b@to.example;\nCc: c@cc.example\n"
      "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= 9\nX-Mark: on\n\nbody\n";
};

TEST_F(DecideTest, EachConditionMatchesAndDoesNot) {
  const std::pair<const char*, const char*> cases[] = {
      {"from = '*@example.ORG'", "from = '*@example.com'"},
      {"from_mime = 'r@mime.example'", "from_mime = 'reports@*'"},
      {"rcpt = ['x@y', '*@partner.example']", "rcpt = 'a@to.example'"},
      {"rcpt_mime = 'b@to.example'", "rcpt_mime = 'joe@*'"},
      {"rcpt_mime = 'c@cc.example'", "rcpt_mime = 'd@cc.example'"},
      {"subject = 'gr\xC3\xBC\xC3\x9F"
       "e ?'",
       "subject = 'gruesse*'"},
      {"subject = 'regexp:/e [0-9]$/'", "subject = 'regexp:/^9/'"},
      {"header = { x-mark = 'ON' }", "header = { X-Other = '*' }"},
      {"header = { X-Mark = '*', Subject = '*' }", "header = { X-Mark = '*', X-Other = '*' }"},
      {"local = true", "local = false"},
      {"authenticated = false", "authenticated = true"},
      {"list = false", "list = true"},
      {"dkim_signed = false", "dkim_signed = true"},
      {"size = '<1K'", "size = '>1K'"},
      {"size = ['>1G', '>=100']", "size = '0'"},
      {"from = '*', subject = '*'", "from = '*', subject = 'x'"},
  };
  for (const auto& [yes, no] : cases) {
    EXPECT_TRUE(matches(yes)) << yes;
    EXPECT_FALSE(matches(no)) << no;
    EXPECT_FALSE(matches("from = '*'", yes)) << yes;
    EXPECT_TRUE(matches("from = '*'", no)) << no;
  }
}

// What does not look at the recipient is judged once a message; with a trace, or alone, for each anew.
TEST_F(DecideTest, ManyRecipientsGetWhatEachWouldGetAlone) {
  const char* const conditions[] = {"from = '*@example.org'",
                                    "from = '*@example.com'",
                                    "subject = '*9'",
                                    "size = '>1M'",
                                    "rcpt = 'a@*'",
                                    "rcpt = ['b@*', 'c@*']",
                                    "local = true",
                                    "list = true",
                                    "from = '*', rcpt = 'c@*'",
                                    "size = '<1M', rcpt = 'd@*'",
                                    "size = '<1M'",
                                    "rcpt = 'e@*', local = false"};
  std::uint32_t state = 1;
  const auto any = [&] {
    state = state * 1664525 + 1013904223;
    return conditions[(state >> 16) % std::size(conditions)];
  };
  for (int round = 0; round < 200; ++round) {
    std::string rules;
    for (int rule = 0; rule < 12; ++rule) {
      rules += "[[rule]]\nname = 'r" + std::to_string(rule) + "'\nmatch = { " + any() + " }\n";
      if (rule % 2 == 0) rules += std::string("unless = { ") + any() + " }\n";
    }
    load(rules);
    const mail::Message message(text_);
    for (const bool complete : {false, true}) {
      envelope_.recipients = {"a@x.test", "b@x.test", "c@x.test", "d@x.test", "e@x.test"};
      MessageFacts facts(message, envelope_, complete);
      const Plan together = core::decide(settings_, facts, false);
      for (const RecipientPlan& plan : together.recipients) {
        envelope_.recipients = {plan.recipient};
        MessageFacts own(message, envelope_, complete);
        const Plan alone = core::decide(settings_, own, true);
        ASSERT_EQ(plan.rule_name, alone.recipients[0].rule_name) << plan.recipient << "\n" << rules;
        ASSERT_EQ(!plan.trace.empty() && plan.trace.back().open, alone.open) << rules;
      }
    }
  }
}

TEST_F(DecideTest, ConditionsOnTheClient) {
  envelope_.local = false;
  envelope_.client_address = "192.0.2.7";
  envelope_.client_name = "relay.Example.net";
  envelope_.daemon_name = "submission";
  envelope_.authenticated_user = "joe";
  EXPECT_TRUE(matches("ip = ['10.0.0.0/8', '192.0.2.0/24']"));
  EXPECT_FALSE(matches("ip = '192.0.3.0/24'"));
  EXPECT_TRUE(matches("hostname = '*.example.net'"));
  EXPECT_FALSE(matches("hostname = 'example.net'"));
  EXPECT_TRUE(matches("daemon_name = 'submission'"));
  EXPECT_TRUE(matches("user = 'joe'"));
  EXPECT_FALSE(matches("user = 'ann'"));
  EXPECT_TRUE(matches("authenticated = true"));
}

TEST_F(DecideTest, RulesMeanOutgoingMailUnlessTheySpeakOfTheClient) {
  envelope_.local = false;
  envelope_.client_address = "192.0.2.7";
  EXPECT_FALSE(matches("from = '*'"));
  EXPECT_EQ(decide().action, config::MessageAction::skip);
  EXPECT_EQ(decide().reason, "not outgoing");
  EXPECT_TRUE(matches("ip = '192.0.2.7'"));
  EXPECT_EQ(decide().action, config::MessageAction::rewrite);
}

TEST_F(DecideTest, FirstMatchWins) {
  load("[[rule]]\nname = 'a'\nmatch = { from = 'nobody' }\n[[rule]]\nname = 'b'\n[[rule]]\nname = 'c'\n");
  EXPECT_EQ(decide().recipients[0].rule_name, "b");
}

TEST_F(DecideTest, WhatTheBodyDecidesStaysOpenUntilItIsThere) {
  load("[[rule]]\nmatch = { size = '>1M' }\naction = 'reject'\n");
  EXPECT_TRUE(decide(false).open);
  EXPECT_FALSE(decide(true).open);
  load("[[rule]]\nmatch = { size = '>1M', from = 'nobody' }\naction = 'reject'\n");
  EXPECT_FALSE(decide(false).open);
}

TEST_F(DecideTest, ThreeRecipientsMergeToTheStrictestInEveryOrder) {
  load(R"(
[[rule]]
name = "wide"
match = { rcpt = "a@x" }
max_images = 100
max_message_bytes = "0"
strip_metadata = "none"
on_fail = "accept"
  [[rule.image]]
  width = 1000
  quality = 90
[[rule]]
name = "narrow"
match = { rcpt = "b@x" }
max_images = 20
max_message_bytes = "5M"
strip_metadata = "all"
  [[rule.image]]
  width = 2000
  max_bytes = "100K"
[[rule]]
name = "careful"
match = { rcpt = "c@x" }
sources = ["data"]
on_fail = { timeout = "tempfail" }
max_message_bytes = "10M"
  [[rule.image]]
  format = "jpeg"
)");
  std::vector<std::string> recipients = {"a@x", "b@x", "c@x"};
  std::vector<std::string> forced;
  do {
    envelope_.recipients = recipients;
    const Plan plan = decide();
    EXPECT_EQ(plan.policy.max_images, 20u);
    EXPECT_EQ(plan.policy.max_message_bytes, 5u << 20);
    EXPECT_EQ(plan.policy.strip_metadata, config::StripMetadata::all);
    EXPECT_EQ(plan.policy.on_fail[static_cast<std::size_t>(config::Failure::timeout)],
              config::OnFail::tempfail);
    EXPECT_EQ(plan.policy.on_fail[static_cast<std::size_t>(config::Failure::limit)], config::OnFail::accept);
    EXPECT_TRUE(plan.policy.sources.data);
    EXPECT_FALSE(plan.policy.sources.svg);
    ASSERT_EQ(plan.images.size(), 3u);
    config::ImagePlan image = (*plan.images[0])[0].plan;
    for (const auto* rules : plan.images) image = stricter(image, (*rules)[0].plan);
    EXPECT_EQ(image.width, 1000u);
    EXPECT_EQ(image.max_bytes, 100u << 10);
    EXPECT_EQ(image.format, config::ImageFormat::jpeg);
    EXPECT_EQ(image.action, config::ImageAction::convert);
    std::vector<std::string> said;
    for (const Forced& one : plan.forced)
      said.push_back(one.what + " " + one.recipient + " " + one.rule_name);
    std::sort(said.begin(), said.end());
    if (forced.empty()) forced = said;
    EXPECT_EQ(said, forced);
    EXPECT_NE(std::find(said.begin(), said.end(), "max_images = 20 b@x narrow"), said.end());
    EXPECT_NE(std::find(said.begin(), said.end(), "on_fail.timeout = tempfail c@x careful"), said.end());
  } while (std::next_permutation(recipients.begin(), recipients.end()));
}

TEST_F(DecideTest, OfSeveralWhoForceTheSameTheFirstRuleInTheFileIsNamed) {
  load(
      "[[rule]]\nname = 'a'\nmatch = { rcpt = 'a@*' }\nsources = ['data', 'svg']\non_fail = 'reject'\n"
      "[[rule]]\nname = 'b'\nmatch = { rcpt = 'b@*' }\n"
      "[[rule]]\nname = 'c'\nmatch = { rcpt = 'c@*' }\nsources = ['data', 'asset']\n");
  std::vector<std::string> recipients = {"a@x", "b@x", "c@x"};
  do {
    envelope_.recipients = recipients;
    const std::vector<Forced> expected = {{"on_fail = reject", "a@x", "a"},
                                          {"sources without asset", "a@x", "a"},
                                          {"sources without part", "a@x", "a"},
                                          {"sources without svg", "c@x", "c"}};
    EXPECT_EQ(decide().forced, expected);
  } while (std::next_permutation(recipients.begin(), recipients.end()));
  // Of one rule's recipients, the first in the envelope.
  envelope_.recipients = {"b@x", "a@2", "a@1"};
  ASSERT_FALSE(decide().forced.empty());
  EXPECT_EQ(decide().forced[0].recipient, "a@2");
}

TEST_F(DecideTest, WhoIsOffCancelsNoRefusalForAnother) {
  load(
      "[[rule]]\nname = 'off'\nmatch = { rcpt = 'off@*' }\nmode = 'off'\naction = 'reject'\nreply = 'of "
      "off'\n"
      "[[rule]]\nname = 'reject'\nmatch = { rcpt = 'reject@*' }\naction = 'reject'\nreply = 'no'\n"
      "[[rule]]\nname = 'hold'\nmatch = { rcpt = 'hold@*' }\naction = 'quarantine'\n"
      "[[rule]]\nname = 'audit'\nmatch = { rcpt = 'audit@*' }\nmode = 'audit'\n"
      "[[rule]]\nname = 'skip'\nmatch = { rcpt = 'skip@*' }\naction = 'skip'\n");
  using config::MessageAction;
  using config::Mode;
  struct Case {
    std::vector<std::string> recipients;
    MessageAction action;
    Mode mode;
    std::string reason;
    std::vector<Forced> forced;
  };
  const Forced off{"mode = off", "off@x", "off"};
  const Case cases[] = {
      {{"off@x"}, MessageAction::skip, Mode::off, "mode off", {}},
      {{"other@x", "off@x"}, MessageAction::skip, Mode::off, "mode off", {off}},
      {{"audit@x", "off@x"}, MessageAction::skip, Mode::off, "mode off", {off}},
      {{"off@x", "skip@x"},
       MessageAction::skip,
       Mode::off,
       "rule \"skip\"",
       {{"action = skip", "skip@x", "skip"}, off}},
      {{"off@x", "reject@x"},
       MessageAction::reject,
       Mode::enforce,
       "rule \"reject\"",
       {{"action = reject", "reject@x", "reject"}}},
      {{"hold@x", "off@x"},
       MessageAction::quarantine,
       Mode::enforce,
       "rule \"hold\"",
       {{"action = quarantine", "hold@x", "hold"}}},
      {{"audit@x", "off@x", "reject@x"},
       MessageAction::reject,
       Mode::audit,
       "rule \"reject\"",
       {{"action = reject", "reject@x", "reject"}, {"mode = audit", "audit@x", "audit"}}},
  };
  for (const Case& one : cases) {
    envelope_.recipients = one.recipients;
    std::sort(envelope_.recipients.begin(), envelope_.recipients.end());
    do {
      const Plan plan = decide();
      SCOPED_TRACE(testing::PrintToString(envelope_.recipients));
      EXPECT_EQ(plan.action, one.action);
      EXPECT_EQ(plan.mode, one.mode);
      EXPECT_EQ(plan.reason, one.reason);
      EXPECT_EQ(plan.forced, one.forced);
      EXPECT_EQ(plan.reply == "no", one.action == MessageAction::reject);
    } while (std::next_permutation(envelope_.recipients.begin(), envelope_.recipients.end()));
  }
}

TEST_F(DecideTest, PicturesNameWhoForcedWhat) {
  load(R"(
[[rule]]
name = "a"
match = { rcpt = "a@*" }
  [[rule.image]]
  match = { type = "image/png" }
  width = 50
  max_bytes = "9K"
  format = "jpeg"
[[rule]]
name = "b"
match = { rcpt = "b@*" }
  [[rule.image]]
  match = { type = "image/gif" }
  action = "drop"
  [[rule.image]]
  width = 90
  max_bytes = "5K"
  density = 1.5
[[rule]]
name = "c"
match = { rcpt = "c@*" }
)");
  ImageFacts png, gif;
  png.type = "image/png";
  gif.type = "image/gif";
  std::vector<std::string> recipients = {"a@x", "b@x", "c@x"};
  do {
    envelope_.recipients = recipients;
    const std::vector<Forced> dropped = {{"action = drop", "b@x", "b"}};
    EXPECT_EQ(plan_image(decide(), gif).forced, dropped);
    const std::vector<Forced> made = {{"action = convert", "a@x", "a"}, {"format = jpeg", "a@x", "a"},
                                      {"resize = fit", "a@x", "a"},     {"width = 50", "a@x", "a"},
                                      {"density = 1.5", "b@x", "b"},    {"max_bytes = 5120", "b@x", "b"}};
    EXPECT_EQ(plan_image(decide(), png).forced, made);
  } while (std::next_permutation(recipients.begin(), recipients.end()));
  for (const auto& alike : {std::vector<std::string>{"c@x", "d@x"}, std::vector<std::string>{"a@x", "a@y"}}) {
    envelope_.recipients = alike;
    EXPECT_TRUE(plan_image(decide(), png).forced.empty());
  }
}

TEST_F(DecideTest, MegapixelsCompareAsTheyAreWritten) {
  ImageFacts facts;
  facts.width = 20;
  facts.height = 10;
  const auto fits = [&](const std::string& megapixels) {
    load("[[rule]]\n[[rule.image]]\nmatch = { megapixels = '" + megapixels + "' }\n");
    return first_match(settings_.rules[0].images, facts) != nullptr;
  };
  EXPECT_TRUE(fits("0.0002"));
  EXPECT_TRUE(fits(">=0.0002"));
  EXPECT_TRUE(fits("<=0.0002"));
  EXPECT_FALSE(fits(">0.0002"));
  EXPECT_FALSE(fits("<0.0002"));
  // What w by h pixels are in megapixels, for every size, is what a person writes.
  for (std::uint32_t width = 1; width < 3000; width += 7) {
    facts.width = width;
    facts.height = 1000;
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", width / 1000.0);
    ASSERT_TRUE(fits(text)) << text;
  }
}

TEST_F(DecideTest, DifferentAssetFoldersAreNone) {
  load(
      "[[rule]]\nname = 'a'\nmatch = { rcpt = 'a@*' }\nassets = 'brand-a'\ntemplates = true\n"
      "[[rule]]\nname = 'b'\nmatch = { rcpt = 'b@*' }\nassets = 'brand-b'\ntemplates = true\n");
  envelope_.recipients = {"a@example.net", "a@example.com"};
  EXPECT_FALSE(decide().assets_differ);
  EXPECT_EQ(decide().policy.assets, "brand-a");
  EXPECT_TRUE(decide().policy.templates);
  for (const auto& recipients : {std::vector<std::string>{"a@example.net", "b@example.net"},
                                 std::vector<std::string>{"b@example.net", "a@example.net"}}) {
    envelope_.recipients = recipients;
    const Plan plan = decide();
    EXPECT_TRUE(plan.assets_differ);
    ASSERT_EQ(plan.forced.size(), 1u);
    EXPECT_EQ(plan.forced[0].what, "no assets");
    EXPECT_EQ(plan.forced[0].recipient, "b@example.net");
  }
  envelope_.recipients = {"a@example.net", "c@example.net"};
  EXPECT_TRUE(decide().assets_differ);
  EXPECT_FALSE(decide().policy.templates);
}

TEST_F(DecideTest, AnySkipSkipsAndRejectIsStricterStill) {
  load(
      "[[rule]]\nmatch = { rcpt = 'a@x' }\naction = 'skip'\n[[rule]]\nmatch = { rcpt = 'b@x' }\naction = "
      "'reject'\n"
      "reply = '5.7.1 no'\n");
  envelope_.recipients = {"a@x", "c@x"};
  EXPECT_EQ(decide().action, config::MessageAction::skip);
  envelope_.recipients = {"c@x", "b@x", "a@x"};
  EXPECT_EQ(decide().action, config::MessageAction::reject);
  EXPECT_EQ(decide().reply, "5.7.1 no");
}

}  // namespace
}  // namespace pixmilter::core
