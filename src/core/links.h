// Links: references to the web. What [fetch] allow lists becomes a picture of the message; the rest stays
// what it is.
#pragma once

#include <string>
#include <string_view>

#include "base/deadline.h"
#include "core/services.h"
#include "core/work.h"

namespace pixmilter::core {

// The URL of a reference, or of a part whose bytes lie elsewhere, in UTF-8 whatever the text around it is in,
// as browsers ask for it. Stands in the message's own text where nothing has to be made of it, else in
// scratch.
std::string_view url_of(const Work& work, const Finding& finding, std::string& scratch);

// After find(): of the links that it has put aside, takes up those that are to be fetched, and tells explain
// why the others are not. Touches no network.
void judge_links(Work& work, const Services& services);

// Fetches all that judge_links() has taken up, each URL once and all at the same time, into work.fetched.
void fetch_links(Work& work, const Services& services, Deadline deadline);

}  // namespace pixmilter::core
