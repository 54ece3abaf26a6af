// Reads [defaults] and [[rule]]. Used inside this folder only.
#pragma once

#include "config/settings.h"
#include "config/table.h"

namespace pixmilter::config {

// The keys that [defaults] and a rule share.
void read_policy(Table& table, Policy& policy);

// One [[rule]]; number counts from 1.
Rule read_rule(Table& table, std::size_t number, const Policy& defaults);

}  // namespace pixmilter::config
