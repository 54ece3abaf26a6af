// Assets: files that the administrator has laid ready beneath one folder, the asset root.
//
// A message names them, and its writer is a stranger: nothing outside the root is ever opened, whatever the
// name. Names are refused by their spelling first; what passes is opened by the kernel's own rules
// (openat2(2): beneath the root, through no symbolic link), so that nobody who swaps folders meanwhile can
// lead out of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace pixmilter::source {

// Where the assets of one message lie.
struct AssetRoot {
  std::string path;    // absolute; may itself be a symbolic link. Empty: no assets are served
  std::string folder;  // beneath path and reached without symbolic links; empty: path itself
  // The folder as one absolute path.
  std::string full() const;
  bool operator==(const AssetRoot&) const = default;
};

// The root of a rule's assets.
AssetRoot asset_root(const config::Settings& settings, const config::Policy& policy);

// The roots of all rules and the defaults that allow assets or files, each once.
std::vector<AssetRoot> asset_roots(const config::Settings& settings);

// What a reference asks for.
struct AssetName {
  std::string path;   // relative to the root: plain components, none of them "." or ".."
  std::string query;  // what stands after "?", still encoded
  bool has_query = false;
};

inline constexpr std::size_t kLongestAssetName = 1024;  // bytes, decoded

// The name in an asset: URL, decoded once. Errors: a scheme that is not asset:, an escape that is none, a NUL
// or another control character, a backslash, an absolute path, an empty component, "." or "..".
Result<AssetName> read_asset_url(std::string_view url);

// The same for a file: URL, whose path has to lie beneath the root by its spelling: file:/path, file:///path
// or file://localhost/path. Errors: as above, another host, a path that lies elsewhere.
Result<AssetName> read_file_url(std::string_view url, const AssetRoot& root);

// A name that is no URL, so that nothing in it is an escape: the same rules. An absolute path has to lie
// beneath the root.
Result<AssetName> read_plain_name(std::string_view name, const AssetRoot& root);

// The bytes of a regular file beneath the root that has no other name. Errors: it is not there, no regular
// file, hidden behind a symbolic link, linked elsewhere, larger than max_bytes, or changed while it was read.
// No error says what else is in the root.
Result<std::string> read_asset(const AssetRoot& root, const AssetName& name, std::uint64_t max_bytes);

// Why the assets beneath a root cannot be read, for the administrator; Done where they can.
Status check_asset_root(const AssetRoot& root);

}  // namespace pixmilter::source
