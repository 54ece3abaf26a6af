// Acquire: where the bytes of a finding come from. Each source of DESIGN.md section 3 has its function here.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "config/settings.h"
#include "core/services.h"
#include "core/work.h"
#include "html/inline_svg.h"

namespace pixmilter::core {

// Serves the findings of one message, one after the other. Borrows all it is given.
class Acquirer {
 public:
  Acquirer(Work& work, const config::Settings& settings, const Services& services, Deadline deadline)
      : work_(work), settings_(settings), services_(services), deadline_(deadline) {}

  // Fills in the picture's bytes, what they are, and what they say of themselves. An Error says why there are
  // none; finding.failure then says what kind of failure that is.
  Status acquire(Finding& finding, Picture& picture);

 private:
  Status from_data_uri(const Finding& finding, Picture& picture);
  Status from_inline_svg(const Finding& finding, Picture& picture);
  Status from_part(const Finding& finding, Picture& picture);
  Status from_url(Finding& finding, Picture& picture);
  static Status own(std::string bytes, Picture& picture);
  static Status recognise(Picture& picture);

  Work& work_;
  [[maybe_unused]] const config::Settings& settings_;
  [[maybe_unused]] const Services& services_;
  [[maybe_unused]] const Deadline deadline_;
  std::map<std::size_t, std::unique_ptr<html::InlineSvgs>> svgs_;  // by index of the HtmlText
};

}  // namespace pixmilter::core
