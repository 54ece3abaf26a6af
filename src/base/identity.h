// Identity: the user that the milter becomes when it is started by root without a service manager, which
// would have done that itself (pixmilter.service).
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace pixmilter {

struct Identity {
  std::string user;
  uid_t uid = 0;
  gid_t gid = 0;
};

// By name or number; group empty: the user's own. An error names what is not known, or that only root can
// become somebody else.
Result<Identity> find_identity(const std::string& user, const std::string& group);

// Becomes the user for good, with the groups that user is a member of; whoever is that user already stays.
// Call it before threads start.
Status take_identity(const Identity& identity);

}  // namespace pixmilter
