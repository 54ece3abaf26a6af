// Renderer: the core's view of the render workers.
#pragma once

#include <span>
#include <vector>

#include "base/deadline.h"
#include "image/job.h"

namespace pixmilter::worker {

// Renders the pictures of a message. Implementations are safe to call from several threads at once.
class Renderer {
 public:
  virtual ~Renderer() = default;
  // One result for each job, in order. Jobs run in parallel as far as there are workers; whatever is not
  // ready when the deadline passes is Status::timeout. Never throws: what fails is a status.
  virtual std::vector<image::ImageResult> render(std::span<const image::ImageJob> jobs,
                                                 Deadline deadline) = 0;
};

}  // namespace pixmilter::worker
