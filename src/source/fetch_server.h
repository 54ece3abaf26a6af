// The fetch process at work: sessions of the front on one side, downloads on the other (fetch_wire.h).
#pragma once

#include "base/unique_fd.h"
#include "source/download.h"

namespace pixmilter::source {

// Serves in this thread until the line and all sessions have ended. Ends the line itself when the host's
// name service is configured anew: what it may read of that was settled when it was sealed, and the front
// gets another process.
void serve_fetches(UniqueFd line, const DownloadRules& rules);

// For a process that cannot work: answers every request with the reason, until the line has ended.
void refuse_fetches(UniqueFd line, const std::string& reason);

}  // namespace pixmilter::source
