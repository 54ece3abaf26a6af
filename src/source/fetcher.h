// Fetcher: pictures by URL, from the hosts that the administrator listed.
//
// The pipeline and a cache between it and the network see this alone; the fetch process is behind
// source/fetch_client.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"

namespace pixmilter::source {

struct FetchRequest {
  std::string url;  // as Fetcher::allowed() gave it
  // Validators of an earlier response to this URL, as they came, or empty. With one of them a response may
  // be not_modified.
  std::string if_none_match;      // its ETag
  std::string if_modified_since;  // its Last-Modified
};

enum class FetchStatus : std::uint8_t {
  ok,            // 200, with all its bytes
  not_modified,  // 304 to a request with a validator
  missing,       // no such thing, or not allowed: another status, a refused address, no connection
  limit,         // larger than [fetch] max_bytes, or more redirects than max_redirects
  timeout,       // not in time
  internal,      // an error of ours
};

// What a cache has to know of a response (RFC 9111), as the server wrote it; one line each, empty where the
// field is not there. Of several fields of one name the values stand behind one another with ", ".
struct Freshness {
  std::string cache_control;
  std::string expires;
  std::string date;
  std::string age;
  std::string etag;
  std::string last_modified;
  std::string vary;
  bool operator==(const Freshness&) const = default;
};

struct FetchResponse {
  FetchStatus status = FetchStatus::internal;
  std::string reason;             // why there are no bytes, as one line; empty for ok and not_modified
  std::uint32_t http_status = 0;  // of the last response; 0: there was none
  std::string content_type;       // what the server says it is, for messages: only the bytes count
  std::string bytes;              // without any content coding
  Freshness freshness;            // of the last response
  bool redirected = false;        // the last response is another URL's
  bool personal = false;          // a request bore a header of [fetch] headers_file
  std::uint32_t process = 0;      // which of the client's fetch processes was asked, by number
};

// Safe from several threads at once.
class Fetcher {
 public:
  virtual ~Fetcher() = default;

  // The URL in its normal form, which names the same thing as every other spelling of it. Error: why it is
  // not fetched. Touches no network.
  virtual Result<std::string> allowed(std::string_view url) const = 0;

  // All at once; one response for each request, in their order. Returns at the deadline at the latest: what
  // has not come by then is a timeout.
  virtual std::vector<FetchResponse> fetch(std::span<const FetchRequest> requests, Deadline deadline) = 0;
};

}  // namespace pixmilter::source
