#include "cli/envelope.h"

#include "config/net.h"

namespace pixmilter::cli {
namespace {

std::string without_brackets(std::string_view address) {
  if (address.size() >= 2 && address.front() == '<' && address.back() == '>')
    address = address.substr(1, address.size() - 2);
  return std::string(address);
}

// Postfix and Sendmail send long names in braces; both spellings are taken. Others than these are of no use
// to us.
void set_macro(std::string_view name, const std::string& value, mail::Envelope& envelope) {
  if (name.size() >= 2 && name.front() == '{' && name.back() == '}') name = name.substr(1, name.size() - 2);
  if (name == "i") envelope.queue_id = value;
  if (name == "j") envelope.mta_host = value;
  if (name == "auth_authen") envelope.authenticated_user = value;
  if (name == "client_name") envelope.client_name = value;
  if (name == "daemon_name") envelope.daemon_name = value;
  if (name == "client_addr") {
    envelope.client_address = value;
    envelope.local = false;
  }
}

}  // namespace

Result<mail::Envelope> envelope_of(const MessageOptions& options) {
  mail::Envelope envelope;
  envelope.sender_known = options.sender.has_value();
  if (options.sender) envelope.sender = without_brackets(*options.sender);
  for (const std::string& recipient : options.recipients)
    envelope.recipients.push_back(without_brackets(recipient));
  envelope.local = !options.ip.has_value();
  if (options.ip) {
    if (options.ip->find('/') != std::string::npos || !config::Net::parse(*options.ip))
      return Error{"--ip " + *options.ip + ": an address is expected"};
    envelope.client_address = *options.ip;
  }
  envelope.authenticated_user = options.user;
  for (const std::string& macro : options.macros) {
    const std::size_t equals = macro.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{"--macro " + macro + ": NAME=VALUE is expected"};
    set_macro(std::string_view(macro).substr(0, equals), macro.substr(equals + 1), envelope);
  }
  return envelope;
}

}  // namespace pixmilter::cli
