// Freshness of what was fetched, after RFC 9111 (HTTP Caching).
//
// We are a shared cache in its sense: what one sender's message made us fetch, another's gets. So `private`
// is not kept, s-maxage goes before max-age, and what a header of [fetch] headers_file has opened (an
// Authorization in the RFC's sense, whatever its name) is kept only where its server says that others may
// have it. Of Vary only "*" matters: our requests for one URL all bear the same fields. No heuristics:
// nothing is fresh that does not say so.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "source/fetcher.h"

namespace pixmilter::source {

struct Lifetime {
  bool storable = false;  // it may be kept
  // From when it has come: how long it may be used without asking. Zero: its server has to confirm it first.
  std::chrono::seconds fresh{0};
};

// Of a response with status ok, or not_modified. received: when it had come, in seconds since 1970; delay:
// since its request was sent.
Lifetime lifetime_of(const Freshness& freshness, bool personal, std::int64_t received,
                     std::chrono::seconds delay);

// Seconds since 1970 of a date in any of the three forms of RFC 9110, 5.6.7; nothing where it is none. now: a
// year of two digits is never more than 50 years after it.
std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now);

}  // namespace pixmilter::source
