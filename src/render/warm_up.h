// Warming up: everything that decoders read, load and start once, before the worker gives up the right to.
//
// Each codec renders a tiny and a large sample: modules get loaded, fonts, locale and time zone read,
// threads started. What a codec does later is then memory and arithmetic, and that is all the seal allows.
#pragma once

#include <set>

#include "image/format.h"
#include "render/options.h"
#include "worker/wire.h"

namespace pixmilter::render {

// Unblocks, by name, the loaders and savers that a purpose needs, and blocks everything else in libvips.
// The formats that are left to be served.
std::set<image::Format> choose_loaders(worker::wire::Purpose purpose, const Options& options);

// Renders samples of these formats; those that cannot be rendered here (a module is missing) are removed.
void warm_up(std::set<image::Format>& formats);

}  // namespace pixmilter::render
