// [fetch]: which pictures may be fetched by URL, and how.
#pragma once

#include "config/settings.h"
#include "config/table.h"

namespace pixmilter::config {

// Reads all keys of the table, and complains of the others.
void read_fetch(Table& table, Fetch& fetch);

}  // namespace pixmilter::config
