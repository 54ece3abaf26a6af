#include "cli/asset_warnings.h"

#include <unistd.h>

#include <algorithm>

#include "source/assets.h"

namespace pixmilter::cli {

std::vector<config::Problem> asset_warnings(const config::Settings& settings, const std::string& file) {
  const std::string& top = settings.assets.root;
  const bool in_use = settings.assets.line > 0 || ::access(top.c_str(), F_OK) == 0;
  std::vector<config::Problem> out;
  std::vector<source::AssetRoot> seen;
  const auto look_at = [&](const config::Policy& policy, std::uint32_t line) {
    source::AssetRoot root = source::asset_root(settings, policy);
    if (!(policy.sources.asset || policy.sources.file) || root.path.empty()) return;
    if (std::find(seen.begin(), seen.end(), root) != seen.end()) return;
    const bool named = root.path != top || !root.folder.empty();
    if (const Status readable = source::check_asset_root(root); !readable && (named || in_use))
      out.push_back({file, named ? line : std::max(settings.assets.line, 1U), 1, readable.error().text});
    seen.push_back(std::move(root));
  };
  for (const config::Rule& rule : settings.rules) look_at(rule.policy, rule.line);
  look_at(settings.defaults, 1);
  return out;
}

}  // namespace pixmilter::cli
