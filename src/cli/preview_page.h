// The preview page: what explain says, to be looked at. One file, no script, nothing from elsewhere.
#pragma once

#include <string>
#include <vector>

#include "cli/client_view.h"
#include "cli/explain_text.h"
#include "cli/preview_thumbnails.h"

namespace pixmilter::cli {

struct Preview {
  Explanation explained;
  ClientView before;
  ClientView after;  // as before where the message stays as it is
  bool changes = false;
  std::vector<Thumbnails> thumbnails;  // by Finding::picture
};

// HTML in UTF-8. Whatever the message holds stands in it as text, or within a sandboxed frame.
std::string preview_page(const Preview& preview);

}  // namespace pixmilter::cli
