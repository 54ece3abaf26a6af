#include "milter/reach.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/confine.h"
#include "config/redis_url.h"
#include "source/assets.h"

namespace pixmilter::milter {
namespace {

using config::Condition;

// With links followed; as it is where nothing is there.
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
  return real ? std::string(real.get()) : path;
}

// The folder of a file; the file itself in the root and in the folders right beneath it.
std::string folder_of(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  return std::count(folder.begin(), folder.end(), '/') < 2 ? path : folder;
}

void add(std::vector<std::string>& paths, const std::vector<Condition>& conditions) {
  for (const Condition& condition : conditions)
    for (const config::Pattern& pattern : condition.patterns) {
      if (pattern.map_file() == nullptr) continue;
      const std::string& path = pattern.map_file()->path();
      paths.push_back(folder_of(path));
      paths.push_back(folder_of(resolved(path)));
    }
}

void add(std::vector<std::string>& paths, const config::Conditions& conditions) {
  add(paths, conditions.match);
  add(paths, conditions.unless);
}

}  // namespace

Reach front_reach(const config::Settings& settings) {
  Reach reach;
  for (const config::Rule& rule : settings.rules) {
    add(reach.readable, rule.conditions);
    for (const config::ImageRule& image : rule.images) add(reach.readable, image.conditions);
  }
  for (const source::AssetRoot& root : source::asset_roots(settings)) reach.readable.push_back(root.full());
  std::sort(reach.readable.begin(), reach.readable.end());
  reach.readable.erase(std::unique(reach.readable.begin(), reach.readable.end()), reach.readable.end());
  // Unix sockets are beyond what can be confined; whether one may be used is for its permissions to say.
  if (const auto redis = config::parse_redis_url(settings.cache.redis); redis && redis->path.empty())
    reach.connect_ports.push_back(redis->port);
  const auto system = system_files();
  reach.readable.insert(reach.readable.end(), system.begin(), system.end());
  return reach;
}

std::string identity(const Reach& reach) {
  std::string text;
  for (const std::string& path : reach.readable) {
    struct stat what {};
    text += path;
    if (::stat(path.c_str(), &what) == 0)
      text += '\0' + std::to_string(what.st_dev) + ':' + std::to_string(what.st_ino);
    text += '\0';
  }
  for (const auto* ports : {&reach.connect_ports, &reach.listen_ports}) {
    for (const std::uint16_t port : *ports) text += std::to_string(port) + ',';
    text += '\0';
  }
  return text;
}

}  // namespace pixmilter::milter
