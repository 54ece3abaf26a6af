// Two MIME trees side by side, with what is new, changed or gone marked.
#pragma once

#include <string>
#include <vector>

#include "core/report.h"

namespace pixmilter::cli {

// HTML. after empty: there is one tree, and nothing to compare.
std::string preview_trees(const std::vector<core::PartLine>& before,
                          const std::vector<core::PartLine>& after);

}  // namespace pixmilter::cli
