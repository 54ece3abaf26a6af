// What check says of asset roots: the folders that the rules name, and whether they can be read.
#pragma once

#include <string>
#include <vector>

#include "config/load.h"

namespace pixmilter::cli {

// A warning for each root that the user we are cannot read, at the line that names it. Nobody has to use
// assets: that the default root is not there is no mistake as long as the file does not name it.
std::vector<config::Problem> asset_warnings(const config::Settings& settings, const std::string& file);

}  // namespace pixmilter::cli
