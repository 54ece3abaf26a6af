// Envelope: what the MTA knows of a message beside its text.
#pragma once

#include <string>
#include <vector>

namespace pixmilter::mail {

// One value for each message; plain strings as the MTA gave them. Empty: not told.
struct Envelope {
  std::string sender;        // MAIL FROM without angle brackets; empty is the null sender
  bool sender_known = true;  // false: nobody told the sender (an empty one is then not the null sender)
  std::vector<std::string> recipients;  // RCPT TO without angle brackets, in order
  std::string queue_id;                 // macro i
  std::string client_address;      // {client_addr} or the address of the connect callback; empty when local
  std::string client_name;         // {client_name}
  std::string authenticated_user;  // {auth_authen}; not empty: the client has authenticated
  std::string daemon_name;         // {daemon_name}
  std::string mta_host;            // macro j
  bool local = false;              // handed in on this host without SMTP (no client)
};

}  // namespace pixmilter::mail
