// The pool and the render program as the configuration wants them.
#pragma once

#include "config/settings.h"
#include "worker/launcher.h"
#include "worker/options.h"

namespace pixmilter::worker {

RenderProgram render_program(const config::Render& render);
PoolOptions pool_options(const config::Render& render);

}  // namespace pixmilter::worker
