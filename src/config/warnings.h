// What is no mistake in a configuration and still not what anybody wants: rules that can never match, files
// that are not there.
#pragma once

#include <string>
#include <vector>

#include "config/load.h"

namespace pixmilter::config {

// In file order; file stands for the file in them.
std::vector<Problem> warnings(const Settings& settings, const std::string& file);

}  // namespace pixmilter::config
