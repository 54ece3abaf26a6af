#include "source/judge_url.h"

namespace pixmilter::source {

Result<Url> judge_url(std::string_view text, const config::Fetch& fetch) {
  Result<Url> url = parse_url(text);
  if (!url) return url;
  for (const config::UrlPattern& pattern : fetch.allow)
    if (pattern.matches(*url)) return url;
  return Error{"not in [fetch] allow"};
}

}  // namespace pixmilter::source
