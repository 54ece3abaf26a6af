// One URL on its way through libcurl, its redirects included.
//
// libcurl is used as a carrier of bytes and nothing else: it follows no redirect, takes no proxy, knows no
// cookies and no passwords. Every URL, the first and each that a server leads to, is judged here, and every
// address when libcurl is about to connect to it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/url.h"
#include "config/settings.h"
#include "source/curl_library.h"
#include "source/fetch_headers.h"
#include "source/fetcher.h"

namespace pixmilter::source {

// What all downloads have in common.
struct DownloadRules {
  CurlLibrary curl;
  config::Fetch fetch;
  std::vector<HostHeader> headers;
  std::string authorities;  // PEM; empty: the system's
};

class Download {
 public:
  // Borrows the rules.
  Download(const DownloadRules& rules, FetchRequest request);
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  // Makes the handle ready for the next URL of the chain. Error: it is not allowed.
  Status prepare(Deadline end);
  CURL* handle() const { return handle_; }
  // "host:port" of the URL that was prepared last, or of the first.
  const std::string& place() const { return place_; }

  // Libcurl has finished with the handle. True: there is another URL to prepare.
  bool follow(CURLcode code);
  // When it is over. The last thing to ask for.
  FetchResponse take_response();
  void fail(FetchStatus status, std::string reason);

 private:
  struct CurlUrl;

  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static std::size_t take_header(char* data, std::size_t one, std::size_t size, void* self);
  static std::size_t take_body(char* data, std::size_t one, std::size_t size, void* self);
  static int take_progress(void* self, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t);

  template <class Value>
  void set(CURLoption option, Value value);
  void set_headers(const Url& url);
  bool conditional() const;
  bool read_alike(const Url& url);
  bool header_line(std::string_view line);
  void judge_end(CURLcode code);
  std::string why(CURLcode code) const;

  const DownloadRules& rules_;
  const FetchRequest request_;
  std::string next_;   // the URL to prepare
  std::string place_;  // of the one that is prepared
  CURL* handle_ = nullptr;
  CURLU* url_ = nullptr;
  curl_slist* fields_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::uint32_t redirects_ = 0;
  FetchResponse response_;
  // Of the response that is under way:
  std::size_t header_bytes_ = 0;
  std::size_t unwanted_ = 0;  // body bytes of a response that is no picture's
  std::string refused_;       // addresses, and why
  std::string problem_;       // what its header holds that we do not take
  bool too_large_ = false;
  bool cut_ = false;  // we have seen enough of it
};

}  // namespace pixmilter::source
