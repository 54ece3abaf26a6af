// UrlPattern: one entry of [fetch] allow.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/url.h"

namespace pixmilter::config {

class UrlPattern {
 public:
  // "https://cdn.example.org/img/*": scheme and host, then a port where it is not the scheme's own, then a
  // path in which * stands for any characters. Without a path the whole host is meant. A host may begin
  // with "*.", which stands for one label or more, or be "*", any name. An address matches only where it
  // stands as such. The query is free unless the pattern has a ? with a glob of its own behind it.
  // Error: what is wrong with the entry.
  static Result<UrlPattern> parse(std::string_view text);

  bool matches(const Url& url) const;

  std::uint16_t port() const { return port_; }
  // As it is written in the configuration.
  const std::string& text() const { return text_; }
  bool operator==(const UrlPattern& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  std::string scheme_;
  std::string host_;         // without its "*."
  bool subdomains_ = false;  // there was one
  std::uint16_t port_ = 0;
  std::string path_;   // a glob
  std::string query_;  // a glob with its "?", or empty: any
};

}  // namespace pixmilter::config
