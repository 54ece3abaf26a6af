// Mta: what a session asks of the mail server at the other end.
//
// filter.cc says it in libmilter's words; tests answer by themselves. Only valid during the callback it
// was made for. Edits may be made at the end of a message only; each returns false when it could not be
// handed over, after which the message may only be tempfailed.
#pragma once

#include <string>
#include <string_view>

namespace pixmilter::milter {

class Mta {
 public:
  virtual ~Mta() = default;
  // The value of a macro as Sendmail names it ("i", "{auth_authen}"); empty when it was not sent.
  virtual std::string macro(const char* name) const = 0;

  // The whole new body, with CRLF, in one call.
  virtual bool replace_body(std::string_view body) = 0;
  // value: folded with LF; nullptr removes the field. index counts fields of that name from 1.
  virtual bool change_header(const std::string& name, int index, const char* value) = 0;
  virtual bool add_header(const std::string& name, const std::string& value) = 0;
  // Keeps the message from delivery until an administrator has looked at it.
  virtual bool quarantine(const std::string& reason) = 0;
  // The words of the rejection or temporary failure that this callback answers with.
  virtual bool set_reply(const char* code, const char* enhanced_code, const std::string& text) = 0;
};

}  // namespace pixmilter::milter
