// What the fetch process gives up before it talks to anybody.
#pragma once

#include "base/result.h"
#include "config/settings.h"

namespace pixmilter::source {

// Root becomes the package's user, or nobody; no capability is left and none can be gained. Before libcurl is
// loaded. Error: it cannot be done, and nothing may be fetched.
Status shed_privileges();

// Limits of memory, files and descriptors for what the settings allow; no programs, no files but those that
// names and certificates need, no ports but those that are listed (base/confine.h). After libcurl was loaded,
// which reads more than it needs later.
Status seal(const config::Fetch& fetch);

}  // namespace pixmilter::source
