#include "source/download.h"

#include <sys/socket.h>

#include <algorithm>
#include <limits>

#include "base/ascii.h"
#include "source/address.h"
#include "source/fetch_wire.h"
#include "source/judge_url.h"

namespace pixmilter::source {
namespace {

constexpr char kSystemAuthorities[] = "/etc/ssl/certs/ca-certificates.crt";
constexpr std::size_t kMaxHeader = 64 << 10;    // bytes of all header lines of a response
constexpr std::size_t kMaxUnwanted = 64 << 10;  // body bytes of an error page, read to keep its connection
constexpr std::size_t kShownUrl = 80;           // letters of one that cannot be read, in a reason
constexpr long kKeepAlive = 60;                 // seconds that a connection without use is kept
constexpr long kOldest = 300;                   // seconds after which one is made, and judged, anew

constexpr char kUserAgent[] = "User-Agent: pixmilter/" PIXMILTER_VERSION;
// Formats that mail clients show come first, for servers that choose.
constexpr char kAccept[] = "Accept: image/png, image/jpeg, image/gif, image/svg+xml;q=0.9, image/*;q=0.8";

// A line that may stand in a log, a packet and a header: printable, and not endless.
std::string harmless(std::string_view text) {
  std::string out(text.substr(0, wire::kMaxField));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

bool printable(std::string_view text) {
  return text.size() <= wire::kMaxField &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void append_value(std::string& field, std::string_view value) {
  field = harmless(field.empty() ? std::string(value) : field + ", " + std::string(value));
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string place_of(const Url& url) { return url.host + ":" + std::to_string(url.port); }

// Of a redirect's target that cannot be judged, what may stand in a log: neither a password, wherever the
// writer took it to end, nor a query, which may be as good as one.
std::string place_of_unread(std::string_view url) {
  const std::size_t slashes = std::min(url.find("//"), url.size());
  std::string_view host = url.substr(std::min(slashes + 2, url.size()));
  const std::size_t end = std::min(host.find_first_of("/\\?#"), host.size());
  std::string_view path = host.substr(end);
  path = path.substr(0, path.find_first_of("?#"));
  host = host.substr(0, end);
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos) {
    host.remove_prefix(at + 1);
  } else if (url.find('@') != std::string_view::npos) {
    host = host.substr(0, host.find(':'));
    path = {};
  }
  std::string_view scheme = url.substr(0, slashes);
  if (host.empty()) scheme = scheme.substr(0, scheme.find(':'));
  std::string shown(scheme);
  if (!host.empty()) shown.append("//").append(host).append(path);
  return harmless(std::string_view(shown).substr(0, kShownUrl));
}

}  // namespace

Download::Download(const DownloadRules& rules, FetchRequest request)
    : rules_(rules), request_(std::move(request)), next_(request_.url) {
  if (const Result<Url> url = parse_url(next_)) place_ = place_of(*url);
}

Download::~Download() {
  const CurlLibrary& curl = rules_.curl;
  if (handle_ != nullptr) curl.easy_cleanup(handle_);
  if (url_ != nullptr) curl.url_cleanup(url_);
  if (fields_ != nullptr) curl.slist_free_all(fields_);
}

template <class Value>
void Download::set(CURLoption option, Value value) {
  // One that is not taken leaves a default in force that was not meant: then there is no download.
  if (rules_.curl.easy_setopt(handle_, option, value) != CURLE_OK)
    problem_ = "libcurl refuses option " + std::to_string(option);
}

// Libcurl takes the URL apart by itself. Only where it comes to the same parts has the right thing been
// judged.
bool Download::read_alike(const Url& url) {
  const CurlLibrary& curl = rules_.curl;
  if (url_ != nullptr) curl.url_cleanup(url_);
  url_ = curl.url();
  if (url_ == nullptr || curl.url_set(url_, CURLUPART_URL, url.text().c_str(), CURLU_PATH_AS_IS) != CURLUE_OK)
    return false;
  const auto part = [&](CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl.url_get(url_, which, &text, flags) != CURLUE_OK || text == nullptr) return std::string();
    std::string copy(text);
    curl.free(text);
    return copy;
  };
  const std::string query = part(CURLUPART_QUERY);
  for (const CURLUPart absent :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_FRAGMENT, CURLUPART_ZONEID})
    if (!part(absent).empty()) return false;
  return part(CURLUPART_SCHEME) == url.scheme && part(CURLUPART_HOST) == url.host &&
         part(CURLUPART_PORT, CURLU_DEFAULT_PORT) == std::to_string(url.port) &&
         part(CURLUPART_PATH) == url.path && (query.empty() ? "" : "?" + query) == url.query;
}

void Download::set_headers(const Url& url) {
  const CurlLibrary& curl = rules_.curl;
  if (fields_ != nullptr) curl.slist_free_all(fields_);
  fields_ = nullptr;
  const auto add = [&](const std::string& field) {
    curl_slist* longer = curl.slist_append(fields_, field.c_str());
    if (longer == nullptr) problem_ = "out of memory";
    if (longer != nullptr) fields_ = longer;
  };
  add(kUserAgent);
  add(kAccept);
  if (conditional()) {
    if (!request_.if_none_match.empty()) add("If-None-Match: " + request_.if_none_match);
    if (!request_.if_modified_since.empty()) add("If-Modified-Since: " + request_.if_modified_since);
  }
  for (const HostHeader& header : rules_.headers) {
    if (!header.belongs_to(url)) continue;
    add(header.field);
    response_.personal = true;
  }
}

// What a redirect leads to is another thing, and its validators are others.
bool Download::conditional() const {
  return redirects_ == 0 && !(request_.if_none_match.empty() && request_.if_modified_since.empty()) &&
         printable(request_.if_none_match) && printable(request_.if_modified_since);
}

Status Download::prepare(Deadline end) {
  const Result<Url> url = judge_url(next_, rules_.fetch);
  if (!url) return url.error();
  place_ = place_of(*url);
  if (handle_ == nullptr) handle_ = rules_.curl.easy_init();
  if (handle_ == nullptr) return Error{"out of memory"};
  if (!read_alike(*url)) return Error{"the URL can be read in two ways"};

  header_bytes_ = unwanted_ = 0;
  refused_.clear();
  problem_.clear();
  too_large_ = cut_ = false;
  error_[0] = '\0';
  set(CURLOPT_CURLU, url_);
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, url->scheme.c_str());
  set(CURLOPT_REDIR_PROTOCOLS_STR, url->scheme.c_str());
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_ACCEPT_ENCODING, "gzip");
  set(CURLOPT_NOSIGNAL, 1L);
  // A name server that does not answer holds up its own URL alone: nobody waits for the thread that asks.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // A folder of authorities would keep libcurl from reading the file of all of them only once.
  set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  if (rules_.authorities.empty()) {
    set(CURLOPT_CAINFO, kSystemAuthorities);
  } else {
    set(CURLOPT_CAINFO, static_cast<char*>(nullptr));
    curl_blob blob{const_cast<char*>(rules_.authorities.data()), rules_.authorities.size(), CURL_BLOB_NOCOPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
  }
  set(CURLOPT_MAXAGE_CONN, kKeepAlive);
  set(CURLOPT_MAXLIFETIME_CONN, kOldest);
  const Milliseconds left = end.left();
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<Milliseconds::rep>(1, left.count())));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::max<Milliseconds::rep>(1, left.count())));
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(rules_.fetch.max_bytes));
  set(CURLOPT_OPENSOCKETFUNCTION, &Download::open_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Download::take_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Download::take_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_XFERINFOFUNCTION, &Download::take_progress);
  set(CURLOPT_XFERINFODATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_PRIVATE, this);
  set_headers(*url);
  set(CURLOPT_HTTPHEADER, fields_);
  if (!problem_.empty()) return Error{problem_};
  return Done{};
}

curl_socket_t Download::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  Download& download = *static_cast<Download*>(self);
  if (!download.rules_.fetch.allow_private) {
    std::string what = special_purpose(address->addr);
    if (what.empty() && own_address(address->addr)) what = "this host's own";
    if (!what.empty()) {
      download.refused_ = text_of(address->addr) + " is " + what + ", and allow_private is off";
      return CURL_SOCKET_BAD;
    }
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t Download::take_header(char* data, std::size_t one, std::size_t size, void* self) {
  Download& download = *static_cast<Download*>(self);
  const std::string_view line(data, one * size);
  download.header_bytes_ += line.size();
  if (download.header_bytes_ > kMaxHeader) download.problem_ = "its header is endless";
  return download.problem_.empty() && download.header_line(line) ? line.size() : 0;
}

bool Download::header_line(std::string_view line) {
  Freshness& fresh = response_.freshness;
  if (line.starts_with("HTTP/")) {
    // Another response of the same exchange: what came before it was 1xx.
    fresh = {};
    response_.content_type.clear();
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = ascii::trim(line.substr(colon + 1));
  const auto is = [&](std::string_view known) { return ascii::iequals(name, known); };
  // The old name means the same (RFC 9110 section 8.4.1.3).
  if (is("content-encoding") && !ascii::iequals(value, "gzip") && !ascii::iequals(value, "x-gzip") &&
      !ascii::iequals(value, "identity"))
    problem_ = "a Content-Encoding that nobody has asked for: " + harmless(value);
  if (is("transfer-encoding") && !ascii::iequals(value, "chunked"))
    problem_ = "a Transfer-Encoding that nobody has asked for: " + harmless(value);
  if (is("content-type")) response_.content_type = harmless(value);
  if (is("cache-control")) append_value(fresh.cache_control, value);
  if (is("expires")) append_value(fresh.expires, value);
  if (is("date")) append_value(fresh.date, value);
  if (is("age")) append_value(fresh.age, value);
  if (is("vary")) append_value(fresh.vary, value);
  // Only what can be sent back as it came.
  if (is("etag") && printable(value)) fresh.etag = value;
  if (is("last-modified") && printable(value)) fresh.last_modified = value;
  return problem_.empty();
}

std::size_t Download::take_body(char* data, std::size_t one, std::size_t size, void* self) {
  Download& download = *static_cast<Download*>(self);
  const std::size_t bytes = one * size;
  long status = 0;
  download.rules_.curl.easy_getinfo(download.handle_, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    download.unwanted_ += bytes;
    download.cut_ = download.unwanted_ > kMaxUnwanted;
    return download.cut_ ? 0 : bytes;
  }
  std::string& body = download.response_.bytes;
  download.too_large_ = bytes > download.rules_.fetch.max_bytes - body.size();
  if (download.too_large_) return 0;
  body.append(data, bytes);
  return bytes;
}

// Counts the bytes as they come, before a content coding is undone.
int Download::take_progress(void* self, curl_off_t, curl_off_t now, curl_off_t, curl_off_t) {
  Download& download = *static_cast<Download*>(self);
  if (now >= 0 && static_cast<std::uint64_t>(now) > download.rules_.fetch.max_bytes)
    download.too_large_ = true;
  return download.too_large_ ? 1 : 0;
}

bool Download::follow(CURLcode code) {
  long status = 0;
  rules_.curl.easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  response_.http_status = static_cast<std::uint32_t>(std::clamp(status, 0L, 999L));
  char* target = nullptr;
  if ((code == CURLE_OK || cut_) && is_redirect(status))
    rules_.curl.easy_getinfo(handle_, CURLINFO_REDIRECT_URL, &target);
  if (target == nullptr) {
    judge_end(code);
    return false;
  }
  if (redirects_ == rules_.fetch.max_redirects) {
    fail(FetchStatus::limit, "more than max_redirects = " + std::to_string(redirects_));
    return false;
  }
  ++redirects_;
  response_.redirected = true;
  next_ = target;
  const Result<Url> url = parse_url(next_);
  place_ = url ? place_of(*url) : place_of_unread(next_);
  return true;
}

void Download::judge_end(CURLcode code) {
  const std::uint32_t status = response_.http_status;
  if (too_large_ || code == CURLE_FILESIZE_EXCEEDED)
    return fail(FetchStatus::limit,
                "larger than [fetch] max_bytes = " + std::to_string(rules_.fetch.max_bytes));
  if (code != CURLE_OK && !cut_) {
    const bool late = code == CURLE_OPERATION_TIMEDOUT;
    return fail(late                          ? FetchStatus::timeout
                : code == CURLE_OUT_OF_MEMORY ? FetchStatus::internal
                                              : FetchStatus::missing,
                late ? "no complete answer in time" : why(code));
  }
  if (status == 304 && conditional()) {
    response_.status = FetchStatus::not_modified;
  } else if (status != 200) {
    fail(FetchStatus::missing, "the server answers " + std::to_string(status));
  } else {
    response_.status = FetchStatus::ok;
  }
}

std::string Download::why(CURLcode code) const {
  if (!problem_.empty()) return problem_;
  if (!refused_.empty()) return refused_;
  const std::string_view detail(error_.data());
  return harmless(detail.empty() ? rules_.curl.easy_strerror(code) : detail);
}

void Download::fail(FetchStatus status, std::string reason) {
  response_.status = status;
  response_.reason = redirects_ == 0 ? std::move(reason) : "redirected to " + place_ + ": " + reason;
  response_.reason = harmless(response_.reason);
  response_.bytes = {};
}

FetchResponse Download::take_response() {
  if (response_.status != FetchStatus::ok) response_.bytes = {};
  return std::move(response_);
}

}  // namespace pixmilter::source
