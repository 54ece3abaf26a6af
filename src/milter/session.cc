#include "milter/session.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <exception>
#include <utility>

#include "base/ascii.h"
#include "base/log.h"
#include "core/outcome.h"
#include "milter/edits.h"

namespace pixmilter::milter {
namespace {

using core::Verdict;

// Room made ahead for the size that a sender announces is an address range; memory is taken as bytes come.
constexpr std::size_t kMostReserved = 128u << 20;
constexpr std::size_t kHeaderRoom = 16u << 10;
// A message may hold thousands of pictures; the log of the others matters more.
constexpr std::size_t kMostPictureLines = 100;

constexpr char kShuttingDown[] = "Mail filter is restarting, try again later";
constexpr char kEditFailed[] = "Mail filter could not hand back the message, try again later";

std::string_view without_brackets(std::string_view address) {
  if (address.size() >= 2 && address.front() == '<' && address.back() == '>')
    return address.substr(1, address.size() - 2);
  return address;
}

// RFC 1870: SIZE=octets. 0 where there is none.
std::size_t announced_size(const std::vector<std::string_view>& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!ascii::istarts_with(arguments[i], "size=")) continue;
    const auto digits = arguments[i].substr(5);
    std::size_t size = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (read.ec == std::errc()) return size;
  }
  return 0;
}

// Who forced what on the other recipients: "action = skip: a@example.org; max_images = 5: b@example.org". A
// value of the log holds 256 bytes; what has no room is counted.
std::string written(const std::vector<core::Forced>& forced) {
  constexpr std::size_t kRoom = 230, kLongestAddress = 100;
  std::string out;
  for (std::size_t i = 0; i < forced.size(); ++i) {
    const std::string& recipient = forced[i].recipient;
    std::string one = forced[i].what + ": " + recipient.substr(0, kLongestAddress);
    if (recipient.size() > kLongestAddress) one += "...";
    if (i > 0 && out.size() + one.size() > kRoom)
      return out + "; " + std::to_string(forced.size() - i) + " more";
    out.append(i == 0 ? "" : "; ").append(one);
  }
  return out;
}

// Only a convenience: without it the buffer grows as bytes come.
void make_room(mail::MessageBuilder& builder, std::size_t bytes) {
  try {
    builder.reserve(bytes);
  } catch (const std::exception&) {
  }
}

}  // namespace

struct Session::Mail {
  std::shared_ptr<Admission> admission;  // nothing: refused, the front is ending
  mail::Envelope envelope;
  mail::MessageBuilder builder;
  std::size_t announced = 0;
  bool headers_ended = false;
  bool edited = false;     // the MTA has been told of a change
  std::string left_alone;  // why the message passes as it came; its bytes are not kept
  std::uint64_t bytes = 0;

  const Engine& engine() const { return admission->engine(); }
};

Session::Session(Traffic& traffic, const Features& features) : traffic_(traffic), features_(features) {
  traffic_.enter();
}
Session::~Session() { traffic_.leave(); }

void Session::abort() { mail_.reset(); }

Reply Session::connect(const Client& client, Mta& mta) {
  client_ = client;
  abort();
  if (!features_.capable) return Reply::accept;
  if (traffic_.draining() && !features_.no_reply) return refuse(mta);
  return Reply::proceed;
}

Reply Session::mail(const std::vector<std::string_view>& arguments, Mta& mta) {
  abort();
  if (!features_.capable) return Reply::accept;
  mail_ = std::make_unique<Mail>();
  mail_->admission = traffic_.admit();
  if (!mail_->admission) {
    if (!features_.no_reply) return refuse(mta);
    return Reply::proceed;  // told at the end of the headers, the first step that is answered
  }
  if (!arguments.empty()) mail_->envelope.sender = without_brackets(arguments.front());
  mail_->announced = announced_size(arguments);
  // Where this step is answered, other people's mail need not come any further.
  if (!features_.no_reply) {
    look_up(mta);
    if (const std::string reason = mail_->engine().pipeline.nothing_for(mail_->envelope); !reason.empty()) {
      Answer answer;
      answer.summary = "untouched: " + reason;
      log_line(answer, true);
      answered_ = std::move(mail_->admission);
      mail_.reset();
      return Reply::accept;
    }
  }
  return Reply::proceed;
}

Reply Session::recipient(std::string_view address) {
  if (!features_.capable) return Reply::accept;
  if (mail_ && mail_->admission) mail_->envelope.recipients.emplace_back(without_brackets(address));
  return Reply::proceed;
}

Reply Session::header(std::string_view name, std::string_view value) {
  if (!features_.capable) return Reply::accept;
  if (!mail_ || !mail_->admission) return Reply::proceed;
  mail_->bytes += name.size() + value.size() + 3;
  if (!mail_->left_alone.empty()) return Reply::proceed;
  if (mail_->builder.size() + name.size() + value.size() > kMaxMessageBytes) {
    leave_alone("larger than " + std::to_string(kMaxMessageBytes) + " bytes");
    return Reply::proceed;
  }
  try {
    if (features_.leading_space) {
      mail_->builder.add_header(name, value);
    } else {
      // The MTA has taken the first space away, if there was one.
      mail_->builder.add_header(name, ' ' + std::string(value));
    }
  } catch (const std::exception& exception) {
    leave_alone(exception.what());
  }
  return Reply::proceed;
}

// Macros of every step up to this one are at hand; which step an MTA sends a macro with differs.
void Session::look_up(Mta& mta) {
  auto& envelope = mail_->envelope;
  envelope.queue_id = mta.macro("i");
  envelope.authenticated_user = mta.macro("{auth_authen}");
  envelope.daemon_name = mta.macro("{daemon_name}");
  envelope.mta_host = mta.macro("j");
  envelope.client_name = mta.macro("{client_name}");
  if (envelope.client_name.empty()) envelope.client_name = client_.name;
  // Postfix gives mail from sendmail(1) a loopback client that has no port (cleanup_milter.c), Sendmail
  // none at all (-bs).
  envelope.local = client_.address.empty() || (client_.loopback && client_.port == 0);
  if (!envelope.local) envelope.client_address = client_.address;
}

Reply Session::end_of_headers(Mta& mta) {
  if (!features_.capable || !mail_) return Reply::accept;
  if (!mail_->admission) return refuse(mta);
  Answer answer;
  mail_->headers_ended = true;
  try {
    look_up(mta);
    if (!mail_->left_alone.empty()) {
      answer.summary = "untouched: " + mail_->left_alone;
    } else {
      mail_->builder.end_headers();
      std::string head = mail_->builder.take();
      mail_->bytes = head.size();
      answer.summary = mail_->engine().pipeline.nothing_to_do(mail::Message(head), mail_->envelope,
                                                              &answer.rule, &answer.forced);
      if (!answer.summary.empty()) {
        answer.summary.insert(0, "untouched: ");
      } else {
        mail_->builder.use(traffic_.buffers().take());
        make_room(mail_->builder,
                  std::max(std::min(mail_->announced + kHeaderRoom, kMostReserved), head.size()));
        mail_->builder.add_body(head);
      }
    }
  } catch (const std::exception& exception) {
    answer.summary = std::string("untouched: ") + exception.what();
    answer.word = "failed";
  }
  if (answer.summary.empty()) return Reply::proceed;
  answer.before = answer.after = mail_->bytes;
  log_line(answer, true);
  answered_ = std::move(mail_->admission);
  mail_.reset();
  return Reply::accept;
}

Reply Session::body(std::string_view chunk) {
  if (!features_.capable) return Reply::accept;
  if (!mail_ || !mail_->admission) return Reply::proceed;
  mail_->bytes += chunk.size();
  if (!mail_->left_alone.empty()) return Reply::proceed;
  if (mail_->builder.size() + chunk.size() > kMaxMessageBytes) {
    leave_alone("larger than " + std::to_string(kMaxMessageBytes) + " bytes");
    return Reply::proceed;
  }
  try {
    if (!mail_->headers_ended) {
      mail_->headers_ended = true;
      mail_->builder.end_headers();
    }
    mail_->builder.add_body(chunk);
  } catch (const std::exception& exception) {
    leave_alone(exception.what());
  }
  return Reply::proceed;
}

Reply Session::end_of_message(Mta& mta) {
  if (!features_.capable || !mail_) return Reply::accept;
  if (!mail_->admission) return refuse(mta);
  Answer answer;
  Reply reply = Reply::accept;
  answer.before = answer.after = mail_->bytes;
  try {
    look_up(mta);
    if (!mail_->left_alone.empty()) {
      answer.summary = "untouched: " + mail_->left_alone;
    } else {
      if (!mail_->headers_ended) mail_->builder.end_headers();
      mail::Message message(mail_->builder.take());
      answer.before = answer.after = message.bytes().size();
      reply = carry_out(message, mta, answer);
      traffic_.buffers().give(std::move(message).take());
    }
  } catch (const std::exception& exception) {
    // Only memory can run out here. With the first edit made there is no way back to the message as it came.
    reply = mail_->edited ? Reply::tempfail : Reply::accept;
    answer.summary = (mail_->edited ? "deferred: " : "untouched: ") + std::string(exception.what());
    answer.word = mail_->edited ? "deferred" : "failed";
    answer.after = answer.before;
  }
  log_line(answer, false);
  answered_ = std::move(mail_->admission);
  mail_.reset();
  return reply;
}

Reply Session::carry_out(const mail::Message& message, Mta& mta, Answer& answer) {
  const auto& settings = mail_->engine().settings;
  core::Outcome outcome =
      mail_->engine().pipeline.run(message, mail_->envelope, Deadline::after(settings.milter.deadline));
  answer.word = core::word(outcome);
  answer.rule = std::move(outcome.rule);
  answer.forced = std::move(outcome.forced);
  std::string& summary = answer.summary = std::move(outcome.summary);
  log_pictures(outcome.findings);
  traffic_.tally().pictures(outcome.findings);

  // All of what could go wrong, before the first edit.
  auto changes = for_mta(outcome.header_changes, features_.leading_space);
  if (!changes) {
    log::error(log::Fields().add("id", queue_id()).add("error", changes.error().text));
    summary = "untouched: " + changes.error().text;
    answer.word = "failed";
    return Reply::accept;
  }
  const auto say = [&](const char* code, const char* status, const char* fallback) {
    const std::string_view own = config::status_code(outcome.reply);
    const bool fits = !own.empty() && own.front() == *code;
    mta.set_reply(code, fits ? std::string(own).c_str() : status,
                  reply_text(outcome.reply.substr(own.size()), fallback));
  };
  if (outcome.verdict == Verdict::reject) {
    say("550", "5.7.1", "Message rejected by policy");
    return Reply::reject;
  }
  if (outcome.verdict == Verdict::tempfail ||
      (outcome.verdict == Verdict::quarantine && !features_.quarantine)) {
    if (outcome.verdict == Verdict::quarantine) summary += "; the MTA cannot quarantine";
    answer.word = "deferred";
    say("451", "4.7.1", "Message deferred by policy");
    return Reply::tempfail;
  }

  // No call that can fail or throw on our side stands between these; none of them answers in between, which
  // would end the body for Postfix.
  mail_->edited = outcome.changed();
  bool handed_over = !outcome.body || mta.replace_body(outcome.body->view());
  for (const auto& change : *changes) {
    if (!handed_over) break;
    if (change.kind == mail::HeaderChange::Kind::append)
      handed_over = mta.add_header(change.name, change.value);
    else
      handed_over =
          mta.change_header(change.name, change.index,
                            change.kind == mail::HeaderChange::Kind::remove ? nullptr : change.value.c_str());
  }
  if (handed_over && outcome.verdict == Verdict::quarantine)
    handed_over = mta.quarantine(reply_text(outcome.reply, "Message held by policy"));
  if (!handed_over) {
    mta.set_reply("451", "4.3.0", kEditFailed);
    summary += "; an edit could not be handed to the MTA: deferred";
    answer.word = "deferred";
    return Reply::tempfail;
  }
  if (outcome.changed()) answer.after = outcome.bytes_after;
  return Reply::accept;
}

Reply Session::refuse(Mta& mta) {
  mta.set_reply("451", "4.3.2", kShuttingDown);
  mail_.reset();
  return Reply::tempfail;
}

// The bytes so far are given back: the message is large, or memory short.
void Session::leave_alone(std::string why) {
  mail_->left_alone = std::move(why);
  mail_->builder = mail::MessageBuilder();
}

std::string_view Session::queue_id() const {
  const std::string& id = mail_->envelope.queue_id;
  return id.empty() ? std::string_view("-") : std::string_view(id);
}

// The queue id first, for whoever follows a message through the MTA's own lines.
void Session::log_line(const Answer& answer, bool header_only) const try {
  const auto took = Clock::now() - answer.start;
  traffic_.tally().message(answer.word, answer.rule, answer.before, answer.after, took);
  log::Fields fields;
  fields.add("id", queue_id()).add("did", answer.summary);
  fields.add("from", "<" + mail_->envelope.sender + ">").add("nrcpt", mail_->envelope.recipients.size());
  fields.add("rule", answer.rule.empty() ? std::string_view("-") : std::string_view(answer.rule));
  if (!answer.forced.empty()) fields.add("forced", written(answer.forced));
  fields.add("before", answer.before).add("after", answer.after);
  if (header_only) fields.add("seen", "header");
  log::info(
      fields.add("ms", static_cast<std::uint64_t>(std::chrono::duration_cast<Milliseconds>(took).count())));
} catch (const std::exception&) {
  // No memory for a line of the log; the message's answer stands.
}

// A line for each picture that something was done to, or that should have been.
void Session::log_pictures(const std::vector<core::Finding>& findings) const {
  std::size_t lines = 0;
  for (const core::Finding& finding : findings) {
    if (finding.silent) continue;
    if (++lines > kMostPictureLines) continue;
    log::Fields fields;
    fields.add("id", queue_id()).add("picture", core::label_for_log(finding));
    fields.add("part", finding.part_number.empty() ? "1" : finding.part_number);
    fields.add("source", core::name(finding.source)).add("format", image::name(finding.format));
    if (finding.width_before > 0)
      fields.add("pixels",
                 std::to_string(finding.width_before) + "x" + std::to_string(finding.height_before));
    fields.add("bytes", finding.bytes_before);
    if (!finding.forced.empty()) fields.add("forced", written(finding.forced));
    if (finding.failed || finding.decision == core::Decision::keep) {
      fields.add(finding.failed ? "left" : "kept", finding.reason);
    } else {
      fields.add("action", core::name(finding.decision));
      if (finding.bytes_after > 0) {
        fields.add("to", image::name(finding.new_format));
        fields.add("to_pixels", std::to_string(finding.width) + "x" + std::to_string(finding.height));
        fields.add("to_bytes", finding.bytes_after);
        if (finding.hurried) fields.add("hurried", "the deadline was near");
        if (!finding.note.empty()) fields.add("note", finding.note);
      }
    }
    log::info(fields);
  }
  if (lines > kMostPictureLines)
    log::info(log::Fields().add("id", queue_id()).add("more_pictures", lines - kMostPictureLines));
}

}  // namespace pixmilter::milter
