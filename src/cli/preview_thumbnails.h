// Thumbnails for the preview page: small enough that hundreds of them make a page that opens at once.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "cli/client_view.h"
#include "core/report.h"
#include "worker/renderer.h"

namespace pixmilter::cli {

// Both data: URIs; empty where there is nothing to show.
struct Thumbnails {
  std::string before;  // only where browsers show the format, or the picture was read all the same
  std::string after;
};

// One pair for each of report.pictures. Large pictures are made small by the renderer.
std::vector<Thumbnails> thumbnails(const core::Report& report, worker::Renderer& renderer, Deadline deadline,
                                   Room& room);

}  // namespace pixmilter::cli
