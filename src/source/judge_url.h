// Which URLs are fetched at all.
#pragma once

#include <string_view>

#include "base/url.h"
#include "config/settings.h"

namespace pixmilter::source {

// The URL in its normal form where it is one that [fetch] allow lists. Error: why it is not fetched.
Result<Url> judge_url(std::string_view text, const config::Fetch& fetch);

}  // namespace pixmilter::source
