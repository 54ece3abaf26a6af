// Which addresses the fetch process may connect to.
//
// Judged on the address that a connection is about to be made to, not on the one that a name had when
// somebody looked: a name server may answer otherwise the second time.
#pragma once

#include <string>

struct sockaddr;

namespace pixmilter::source {

// Why nobody out there can be behind this address: "loopback", "private" and so on, by the registries of IANA
// for special purposes. Empty: it is one of the Internet's. An IPv4 address within an IPv6 one counts as what
// it is.
std::string special_purpose(const sockaddr& address);

// Whether this host has the address on one of its interfaces; true as well where that cannot be told.
bool own_address(const sockaddr& address);

// "192.0.2.1", "2001:db8::1".
std::string text_of(const sockaddr& address);

}  // namespace pixmilter::source
