// Session: one connection of an MTA, from callbacks to messages and back to replies.
//
// libmilter calls it from different threads, one after the other. It knows no socket and no libmilter, only
// what an MTA says (methods) and what it can be asked for (Mta).
//
// The order at the end of a message is the contract with the MTA (DESIGN.md section 5): everything is
// computed and checked first; then the body in one run, then the header changes; a failure before the first
// edit passes the message as it came, one after it is a temporary failure, so that a message is never left
// half changed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "core/finding.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "milter/mta.h"
#include "milter/negotiation.h"
#include "milter/traffic.h"

namespace pixmilter::milter {

enum class Reply { proceed, accept, reject, tempfail };

// Who has connected to the MTA.
struct Client {
  std::string name;
  std::string address;     // empty: none (a program on the same host)
  bool loopback = false;   // address is one
  std::uint16_t port = 0;  // 0: not known
};

class Session {
 public:
  Session(Traffic& traffic, const Features& features);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Features& features() const { return features_; }

  Reply connect(const Client& client, Mta& mta);
  // arguments: the address, with or without angle brackets, then the ESMTP parameters.
  Reply mail(const std::vector<std::string_view>& arguments, Mta& mta);
  Reply recipient(std::string_view address);
  // value: as the MTA gave it, with or without leading white space as negotiated.
  Reply header(std::string_view name, std::string_view value);
  Reply end_of_headers(Mta& mta);
  Reply body(std::string_view chunk);
  Reply end_of_message(Mta& mta);
  // The message is over without a verdict of ours. Also when there is none.
  void abort();

  // The message that was answered last; held until that answer is on its way, it keeps the front from ending.
  std::shared_ptr<Admission> take_answered() { return std::move(answered_); }

 private:
  struct Mail;
  // What the log and the counters say of a message.
  struct Answer {
    Clock::time_point start = Clock::now();
    std::string summary;
    std::string_view word = "untouched";
    std::string rule;
    std::vector<core::Forced> forced;
    std::uint64_t before = 0;  // bytes
    std::uint64_t after = 0;
  };
  Reply refuse(Mta& mta);
  void look_up(Mta& mta);
  Reply carry_out(const mail::Message& message, Mta& mta, Answer& answer);
  void leave_alone(std::string why);
  std::string_view queue_id() const;
  void log_line(const Answer& answer, bool header_only) const;
  void log_pictures(const std::vector<core::Finding>& findings) const;

  Traffic& traffic_;
  const Features features_;
  Client client_;
  std::unique_ptr<Mail> mail_;  // between MAIL and the last answer
  std::shared_ptr<Admission> answered_;
};

}  // namespace pixmilter::milter
