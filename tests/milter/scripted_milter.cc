// The milter as it is, over a pipeline that does what the message says: for tests of everything around the
// pipeline, such as slow messages, verdicts, and changes that the real one would never make.
//
// Takes the options of `pixmilter serve`. A message says what to do in header fields:
//   X-Script-Header: accept            nothing_to_do() gives a reason
//   X-Script-Sleep: MILLISECONDS       run() takes that long, after "id=QUEUE_ID sleeps" in the log
//   X-Script-Body: keep | bytes=N | upper | empty       what becomes of the body (keep)
//   X-Script-Change: replace NAME INDEX=VALUE | remove NAME INDEX | append NAME=VALUE     may be repeated;
//                    \n stands for a fold and \0 for NUL
//   X-Script-Verdict: accept | reject | tempfail | quarantine
//   X-Script-Reply: the verdict's text
//   X-Script-Throw: run, header        throws there
// The summary repeats the envelope, so that tests see it in the log.
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/ascii.h"
#include "base/log.h"
#include "core/pipeline.h"
#include "milter/serve.h"

namespace pixmilter::core {
namespace {

std::string script(const mail::Message& message, std::string_view name) {
  const mail::HeaderField* field = message.find(std::string("X-Script-") + std::string(name));
  return field == nullptr ? std::string() : std::string(ascii::trim(field->raw_value));
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      const char c = text[++i];
      out.push_back(c == 'n' ? '\n' : c == '0' ? '\0' : c == 't' ? '\t' : c);
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

mail::HeaderChange change(std::string_view text) {
  mail::HeaderChange made{};
  const auto space = text.find(' ');
  const std::string_view verb = text.substr(0, space);
  std::string_view rest = text.substr(space + 1);
  if (const auto equals = rest.find('='); equals != std::string_view::npos) {
    made.value = unescaped(rest.substr(equals + 1));
    rest = rest.substr(0, equals);
  }
  made.kind = verb == "replace"  ? mail::HeaderChange::Kind::replace
              : verb == "remove" ? mail::HeaderChange::Kind::remove
                                 : mail::HeaderChange::Kind::append;
  if (const auto index = rest.find(' '); index != std::string_view::npos) {
    made.index = number(rest.substr(index + 1));
    rest = rest.substr(0, index);
  }
  made.name = rest;
  return made;
}

std::string told(const mail::Envelope& envelope) {
  std::string text = "scripted: from=" + envelope.sender;
  for (const auto& recipient : envelope.recipients) text += " to=" + recipient;
  text += " client=" + envelope.client_address + "/" + envelope.client_name;
  text +=
      " user=" + envelope.authenticated_user + " daemon=" + envelope.daemon_name + " j=" + envelope.mta_host;
  return text + (envelope.local ? " local" : "");
}

}  // namespace

std::string Pipeline::nothing_for(const mail::Envelope&) const { return {}; }

std::string Pipeline::nothing_to_do(const mail::Message& headers, const mail::Envelope&, std::string*,
                                    std::vector<Forced>*) const {
  if (settings_.mode == config::Mode::off) return "mode off";
  if (script(headers, "Throw") == "header") throw std::runtime_error("thrown at the header");
  return script(headers, "Header") == "accept" ? "nothing to do" : "";
}

Outcome Pipeline::run(const mail::Message& message, const mail::Envelope& envelope, Deadline, Report*) const {
  Outcome outcome;
  outcome.bytes_before = outcome.bytes_after = message.bytes().size();
  outcome.summary = told(envelope) + " deadline=" + std::to_string(settings_.milter.deadline.count());
  if (const int milliseconds = number(script(message, "Sleep")); milliseconds > 0) {
    log::info("id=" + envelope.queue_id + " sleeps");
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  }
  if (script(message, "Throw") == "run") throw std::runtime_error("thrown by the pipeline");
  const std::string body = script(message, "Body");
  if (body.starts_with("bytes=")) {
    std::string made;
    const std::string line =
        "a line of the new body, which is as long as lines of base64 mostly are in mail...\r\n";
    const auto size = static_cast<std::size_t>(number(body.substr(6)));
    while (made.size() + line.size() <= size) made += line;
    outcome.body = NewBody(std::move(made));
  } else if (body == "upper") {
    std::string made(message.body());
    for (char& c : made)
      if (ascii::is_lower(c)) c = static_cast<char>(c - 'a' + 'A');
    outcome.body = NewBody(std::move(made));
  } else if (body == "empty") {
    outcome.body = NewBody();
  } else if (body == "same") {
    outcome.body = NewBody(std::string(message.body()));
  }
  for (const auto& field : message.fields())
    if (ascii::iequals(field.name, "X-Script-Change"))
      outcome.header_changes.push_back(change(ascii::trim(field.raw_value)));
  const std::string verdict = script(message, "Verdict");
  if (verdict == "reject") outcome.verdict = Verdict::reject;
  if (verdict == "tempfail") outcome.verdict = Verdict::tempfail;
  if (verdict == "quarantine") outcome.verdict = Verdict::quarantine;
  outcome.reply = script(message, "Reply");
  if (outcome.body) outcome.bytes_after = message.body_begin() + outcome.body->size();
  return outcome;
}

}  // namespace pixmilter::core

int main(int argc, char** argv) {
  pixmilter::milter::ServeOptions options;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "-c") == 0) options.config_file = argv[i + 1];
    if (std::strcmp(argv[i], "--socket") == 0) options.socket = argv[i + 1];
    if (std::strcmp(argv[i], "--log") == 0 && std::strcmp(argv[i + 1], "stderr") == 0)
      options.log = pixmilter::milter::ServeOptions::Log::standard_error;
  }
  return pixmilter::milter::serve(options);
}
