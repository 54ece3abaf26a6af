// Negotiation: what we ask of an MTA, given what it offers.
//
// A pure function, so that every MTA that was ever seen can be a test. The protocol's flags are those of
// libmilter/mfapi.h and mfdef.h.
#pragma once

#include <string>

namespace pixmilter::milter {

// What an MTA says it can do.
struct Offer {
  unsigned long actions = 0;  // SMFIF_*
  unsigned long steps = 0;    // SMFIP_*
};

// What a session knows of its MTA afterwards.
struct Features {
  // False: the MTA cannot carry out what we would ask for, and everything is accepted as it is.
  bool capable = true;
  // Header values come, and are given back, with the white space after the colon.
  bool leading_space = true;
  bool quarantine = true;
  // Steps before the end of the headers are answered by silence (SMFIP_NR_*).
  bool no_reply = false;
};

struct Agreement {
  unsigned long actions = 0;
  unsigned long steps = 0;
  Features features;
  std::string lacking;  // when not capable: what the MTA does not offer, for the log
};

// no_reply: whether to ask for the no-reply steps. Over a unix socket they are worth four times the message
// rate; over TCP Postfix then runs into Nagle's algorithm against delayed acknowledgements, 40 to 90 ms a
// message.
Agreement agree(const Offer& offer, bool no_reply);

// The macros we want with each step (smfi_setsymlist); nothing else is looked at. Empty: none.
inline constexpr char kConnectMacros[] = "j {daemon_name} {client_addr} {client_name}";
inline constexpr char kMailMacros[] = "i {auth_authen}";
inline constexpr char kHeaderMacros[] = "i";
inline constexpr char kMessageMacros[] = "i";

}  // namespace pixmilter::milter
