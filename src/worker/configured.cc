#include "worker/configured.h"

namespace pixmilter::worker {

RenderProgram render_program(const config::Render& render) {
  RenderProgram program;
  program.memory = render.memory;
  program.timeout = render.timeout;
  program.sandbox_required = render.sandbox == config::Sandbox::required;
  program.loaders = render.loaders;
  return program;
}

PoolOptions pool_options(const config::Render& render) {
  PoolOptions options;
  options.workers = render.workers;
  options.timeout = render.timeout;
  return options;
}

}  // namespace pixmilter::worker
