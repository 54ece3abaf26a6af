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
      log_line("untouched: " + reason, 0, 0, Milliseconds(0), true);
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
  const auto start = Clock::now();
  mail_->headers_ended = true;
  std::string reason;
  try {
    look_up(mta);
    if (!mail_->left_alone.empty()) {
      reason = "untouched: " + mail_->left_alone;
    } else {
      mail_->builder.end_headers();
      std::string head = mail_->builder.take();
      mail_->bytes = head.size();
      reason = mail_->engine().pipeline.nothing_to_do(mail::Message(head), mail_->envelope);
      if (!reason.empty()) {
        reason = "untouched: " + reason;
      } else {
        make_room(mail_->builder,
                  std::max(std::min(mail_->announced + kHeaderRoom, kMostReserved), head.size()));
        mail_->builder.add_body(head);
      }
    }
  } catch (const std::exception& exception) {
    reason = std::string("untouched: ") + exception.what();
  }
  if (reason.empty()) return Reply::proceed;
  log_line(reason, mail_->bytes, mail_->bytes, std::chrono::duration_cast<Milliseconds>(Clock::now() - start),
           true);
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
  const auto start = Clock::now();
  Reply reply = Reply::accept;
  std::string summary;
  std::uint64_t before = mail_->bytes;
  std::uint64_t after = before;
  try {
    look_up(mta);
    if (!mail_->left_alone.empty()) {
      summary = "untouched: " + mail_->left_alone;
    } else {
      if (!mail_->headers_ended) mail_->builder.end_headers();
      const mail::Message message(mail_->builder.take());
      before = after = message.bytes().size();
      reply = carry_out(message, mta, summary, after);
    }
  } catch (const std::exception& exception) {
    // Only memory can run out here. With the first edit made there is no way back to the message as it came.
    reply = mail_->edited ? Reply::tempfail : Reply::accept;
    summary = (mail_->edited ? "deferred: " : "untouched: ") + std::string(exception.what());
    after = before;
  }
  log_line(summary, before, after, std::chrono::duration_cast<Milliseconds>(Clock::now() - start), false);
  answered_ = std::move(mail_->admission);
  mail_.reset();
  return reply;
}

Reply Session::carry_out(const mail::Message& message, Mta& mta, std::string& summary,
                         std::uint64_t& bytes_after) {
  const auto& settings = mail_->engine().settings;
  core::Outcome outcome =
      mail_->engine().pipeline.run(message, mail_->envelope, Deadline::after(settings.milter.deadline));
  summary = std::move(outcome.summary);
  const std::string id = mail_->envelope.queue_id;
  for (const auto& note : outcome.notes)
    log::info(log::Fields().add("id", id.empty() ? "-" : id).add("left", note).text());

  // All of what could go wrong, before the first edit.
  auto changes = for_mta(outcome.header_changes, features_.leading_space);
  if (!changes) {
    log::error(log::Fields().add("id", id.empty() ? "-" : id).add("error", changes.error().text).text());
    summary = "untouched: " + changes.error().text;
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
    say("451", "4.7.1", "Message deferred by policy");
    return Reply::tempfail;
  }

  // No call that can fail or throw on our side stands between these; none of them answers in between, which
  // would end the body for Postfix.
  mail_->edited = outcome.changed();
  bool handed_over = !outcome.body || mta.replace_body(*outcome.body);
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
    return Reply::tempfail;
  }
  if (outcome.changed()) bytes_after = outcome.bytes_after;
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

void Session::log_line(std::string_view summary, std::uint64_t before, std::uint64_t after,
                       Milliseconds taken, bool header_only) const try {
  const std::string& id = mail_->envelope.queue_id;
  log::Fields fields;
  fields.add("id", id.empty() ? std::string_view("-") : std::string_view(id)).add("did", summary);
  fields.add("before", before).add("after", after);
  if (header_only) fields.add("seen", "header");
  log::info(fields.add("ms", static_cast<std::uint64_t>(taken.count())).text());
} catch (const std::exception&) {
  // No memory for a line of the log; the message's answer stands.
}

}  // namespace pixmilter::milter
