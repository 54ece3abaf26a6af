// Acquire: where the bytes of a finding come from. Each source of DESIGN.md section 3 has its function here.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "config/settings.h"
#include "core/work.h"
#include "html/inline_svg.h"
#include "image/raw_params.h"
#include "source/assets.h"

namespace pixmilter::core {

// Serves the findings of one message, one after the other. Borrows all it is given.
class Acquirer {
 public:
  Acquirer(Work& work, const config::Settings& settings, Deadline deadline)
      : work_(work),
        settings_(settings),
        deadline_(deadline),
        root_(source::asset_root(settings, work.plan.policy)) {}

  // Fills in the picture's bytes, what they are, and what they say of themselves. An Error says why there are
  // none; finding.failure then says what kind of failure that is.
  Status acquire(Finding& finding, Picture& picture);

 private:
  Status from_data_uri(const Finding& finding, Picture& picture);
  Status from_inline_svg(Finding& finding, Picture& picture);
  Status from_part(const Finding& finding, Picture& picture);
  bool decode_to_memory(const mail::Part& part, Picture& picture) const;
  Status from_url(Finding& finding, Picture& picture);
  Status from_asset(Finding& finding, Picture& picture);
  Result<source::AssetName> asset_name(const Finding& finding) const;
  Result<std::string> asset_bytes(const source::AssetName& name) const;
  static Status read_raw(const image::Parameters& parameters, bool asked, Picture& picture);
  static Status recognise(Picture& picture);
  static Status read_as(const mail::Part& part, bool asked, Picture& picture);

  // What has been read for a message: a thousand references to one asset read it once.
  struct Shared {
    std::shared_ptr<const std::string> bytes;
    Digest digest;
  };

  Work& work_;
  const config::Settings& settings_;
  const Deadline deadline_;
  const source::AssetRoot root_;
  std::map<std::string, Result<Shared>> shared_;                   // by what names it
  std::uint64_t shared_bytes_ = 0;                                 // of all of them
  bool shared_full_ = false;                                       // one had no room
  std::map<std::size_t, std::unique_ptr<html::InlineSvgs>> svgs_;  // by index of the HtmlText
};

}  // namespace pixmilter::core
