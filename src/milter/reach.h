// Reach: the files and ports that a configuration gives to the front.
//
// The front is confined before it takes the first message, and what it was given then cannot be widened. So
// a reload that names other files, or finds others where they were, takes another front.
#pragma once

#include <string>

#include "base/landlock.h"
#include "config/settings.h"

namespace pixmilter::milter {

// A map file is read again when it changes, and editors put a new file in its place: so its folder is
// within reach, except for the root's own (/etc, /home), which hold far too much.
Reach front_reach(const config::Settings& settings);

// Tells two reaches apart, also where a path has come to mean another file.
std::string identity(const Reach& reach);

}  // namespace pixmilter::milter
