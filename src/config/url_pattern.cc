#include "config/url_pattern.h"

#include <algorithm>

#include "base/ascii.h"
#include "config/pattern.h"

namespace pixmilter::config {

Result<UrlPattern> UrlPattern::parse(std::string_view text) {
  UrlPattern pattern;
  pattern.text_ = text;
  if (text.size() > Url::kMaxSize) return Error{"the URL is too long"};
  for (const char c : text)
    if (c <= ' ' || c > '~') return Error{"printable ASCII without spaces is expected"};
  const std::size_t colon = std::min(text.find("://"), text.size());
  pattern.scheme_ = ascii::to_lower(text.substr(0, colon));
  if (colon == text.size() || (pattern.scheme_ != "http" && pattern.scheme_ != "https"))
    return Error{"a URL such as \"https://cdn.example.org/img/*\" is expected"};
  text.remove_prefix(colon + 3);
  if (text.find('#') != std::string_view::npos) return Error{"a fragment is never sent to a server"};

  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view host = text.substr(0, end);
  text.remove_prefix(end);
  if (host.find('@') != std::string_view::npos) return Error{"no user name may stand in a URL"};
  const std::size_t bracket = host.rfind(']');
  const std::size_t port = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  pattern.port_ = default_port(pattern.scheme_);
  if (port != std::string_view::npos) {
    pattern.port_ = parse_port(host.substr(port + 1));
    if (pattern.port_ == 0) return Error{"a port from 1 to 65535 is expected after the host"};
    host = host.substr(0, port);
  }
  pattern.subdomains_ = host == "*" || host.starts_with("*.");
  if (pattern.subdomains_) host.remove_prefix(std::min<std::size_t>(2, host.size()));
  if (host.find('*') != std::string_view::npos)
    return Error{"* may only stand for the first labels of a host, as in \"*.example.org\""};
  if (!host.empty() || !pattern.subdomains_) {
    Result<std::string> normal = normal_host(host);
    if (!normal) return normal.error();
    pattern.host_ = *std::move(normal);
  }

  const std::size_t question = std::min(text.find('?'), text.size());
  const std::string_view path = text.substr(0, question);
  Result<std::string> normal = normal_path(path.empty() ? "/*" : path);
  if (!normal) return normal.error();
  pattern.path_ = *std::move(normal);
  Result<std::string> query = normal_query(text.substr(question));
  if (!query) return query.error();
  pattern.query_ = *std::move(query);
  return pattern;
}

bool UrlPattern::matches(const Url& url) const {
  if (url.scheme != scheme_ || url.port != port_) return false;
  if (!subdomains_) {
    if (url.host != host_) return false;
  } else if (url.is_address()) {
    return false;
  } else if (!host_.empty()) {
    if (!std::string_view(url.host).ends_with(host_) || url.host.size() < host_.size() + 2 ||
        url.host[url.host.size() - host_.size() - 1] != '.')
      return false;
  }
  // In a query's glob the ? at its beginning is itself; a path has none.
  return glob_matches(path_, url.path) && (query_.empty() || glob_matches(query_, url.query));
}

}  // namespace pixmilter::config
