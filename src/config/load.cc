#include "config/load.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "config/load_fetch.h"
#include "config/load_rules.h"
#include "config/redis_url.h"
#include "config/table.h"
#include "config/units.h"

namespace pixmilter::config {
namespace {

// "0660" as chmod takes it.
Result<std::uint32_t> parse_mode(const toml::node& node) {
  const auto* text = node.as_string();
  const Error expected{"permission bits such as \"0660\" are expected"};
  if (text == nullptr || text->get().empty() || text->get().size() > 4) return expected;
  std::uint32_t mode = 0;
  for (const char c : text->get()) {
    if (c < '0' || c > '7') return expected;
    mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
  }
  if (mode > 0777) return expected;
  return mode;
}

// With less, hardly a picture could be decoded.
constexpr std::uint64_t kLeastMemory = 32 << 20;

// Reads a size that is no less; expected says so.
auto size_from(std::uint64_t least, const char* expected) {
  return [=](const toml::node& node) -> Result<std::uint64_t> {
    const auto* text = node.as_string();
    const Result<std::uint64_t> size = parse_size(text == nullptr ? std::string() : text->get());
    if (size && *size < least) return Error{expected};
    return size;
  };
}

// Families of decoders by the names that the render program knows.
Result<std::vector<std::string>> parse_loaders(const toml::node& node) {
  const Error expected{
      "a list of \"png\", \"jpeg\", \"gif\", \"webp\", \"tiff\", \"heif\", \"svg\", \"jxl\", \"jp2\" is "
      "expected"};
  const toml::array* list = node.as_array();
  if (list == nullptr) return expected;
  std::vector<std::string> loaders;
  for (const toml::node& element : *list) {
    const auto* text = element.as_string();
    bool known = false;
    for (const std::string_view name : {"png", "jpeg", "gif", "webp", "tiff", "heif", "svg", "jxl", "jp2"})
      known = known || (text != nullptr && text->get() == name);
    if (!known) return expected;
    loaders.push_back(text->get());
  }
  return loaders;
}

void read_cache(Table& root, const std::string& file, Settings& settings, std::vector<Problem>& problems) {
  Table cache(root.table("cache"), "cache", file, problems);
  cache.size("memory", settings.cache.memory);
  cache.size("fetched", settings.cache.fetched);
  cache.read("redis", settings.cache.redis, [](const toml::node& node) -> Result<std::string> {
    const auto* text = node.as_string();
    if (text == nullptr) return Error{"a string is expected"};
    if (text->get().empty()) return std::string();
    if (const auto address = parse_redis_url(text->get()); !address) return address.error();
    return text->get();
  });
  cache.duration("redis_timeout", settings.cache.redis_timeout);
  cache.string("redis_prefix", settings.cache.redis_prefix);
  cache.duration("redis_ttl", settings.cache.redis_ttl);
  cache.size("redis_max_value", settings.cache.redis_max_value);
  cache.finish();
}

void read_settings(const toml::table& root_table, const std::string& file, Settings& settings,
                   std::vector<Problem>& problems) {
  Table root(root_table, "", file, problems);
  root.choice<Mode>("mode", settings.mode,
                    {{"enforce", Mode::enforce}, {"audit", Mode::audit}, {"off", Mode::off}});
  root.choice<log::Format>("log_format", settings.log.format,
                           {{"text", log::Format::text}, {"json", log::Format::json}});
  root.choice<log::Level>("log_level", settings.log.level,
                          {{"debug", log::Level::debug},
                           {"info", log::Level::info},
                           {"notice", log::Level::notice},
                           {"warning", log::Level::warning},
                           {"error", log::Level::error}});
  root.number("log_repeats", settings.log.repeats, 0, 1'000'000);
  {
    Table milter(root.table("milter"), "milter", file, problems);
    milter.read("socket", settings.milter.socket, [](const toml::node& node) -> Result<std::string> {
      const auto* text = node.as_string();
      if (text == nullptr) return Error{"a string is expected"};
      if (Status valid = check_socket(text->get()); !valid) return valid.error();
      return text->get();
    });
    milter.read("socket_mode", settings.milter.socket_mode, parse_mode);
    milter.string("socket_group", settings.milter.socket_group);
    milter.duration("deadline", settings.milter.deadline);
    milter.finish();
  }
  {
    Table render(root.table("render"), "render", file, problems);
    render.number("workers", settings.render.workers, 0, 1024);
    render.read("loaders", settings.render.loaders, parse_loaders);
    render.choice<Sandbox>("sandbox", settings.render.sandbox,
                           {{"required", Sandbox::required}, {"best-effort", Sandbox::best_effort}});
    render.duration("timeout", settings.render.timeout);
    render.read("memory", settings.render.memory,
                size_from(kLeastMemory, "a size of at least \"32M\" is expected"));
    render.number("max_pixels", settings.render.max_pixels, 1, 1'000'000'000);
    render.number("max_frames", settings.render.max_frames, 1, 10'000);
    render.finish();
  }
  read_cache(root, file, settings, problems);
  {
    Table assets(root.table("assets"), "assets", file, problems);
    assets.read("root", settings.assets.root, [&](const toml::node& node) -> Result<std::string> {
      const auto* text = node.as_string();
      if (text == nullptr) return Error{"a string is expected"};
      settings.assets.line = node.source().begin.line;
      if (text->get().empty()) return std::string();
      if (Status valid = check_absolute(text->get()); !valid) return valid.error();
      return text->get();
    });
    const auto above_zero = size_from(1, "a size above 0 is expected");
    assets.read("max_bytes", settings.assets.max_bytes, above_zero);
    assets.read("max_total", settings.assets.max_total, above_zero);
    assets.finish();
  }
  {
    Table fetch(root.table("fetch"), "fetch", file, problems);
    read_fetch(fetch, settings.fetch);
    // Who lists URLs wants them fetched. A list of sources, in [defaults] or in a rule, says otherwise.
    settings.defaults.sources.http = !settings.fetch.allow.empty();
    fetch.finish();
  }
  {
    Table metrics(root.table("metrics"), "metrics", file, problems);
    metrics.read("listen", settings.metrics.listen, [](const toml::node& node) -> Result<std::string> {
      const auto* text = node.as_string();
      if (text == nullptr) return Error{"a string is expected"};
      if (Status valid = check_address(text->get()); !valid) return valid.error();
      return text->get();
    });
    metrics.finish();
  }
  {
    Table defaults(root.table("defaults"), "defaults", file, problems);
    read_policy(defaults, settings.defaults);
    defaults.finish();
  }
  std::size_t number = 0;
  for (const toml::table* table : root.tables("rule")) {
    Table rule(*table, "rule[" + std::to_string(++number) + "]", file, problems);
    settings.rules.push_back(read_rule(rule, number, settings.defaults));
  }
  root.finish();
}

}  // namespace

std::string Problem::text(std::string_view prefix) const {
  std::string place = file;
  if (line > 0) place += ":" + std::to_string(line) + ":" + std::to_string(column);
  return place + ": " + std::string(prefix) + message;
}

Loaded load_text(std::string_view text, const std::string& name) {
  Loaded loaded;
  try {
    const toml::table table = toml::parse(text, name);
    read_settings(table, name, loaded.settings, loaded.problems);
  } catch (const toml::parse_error& error) {
    const toml::source_position& at = error.source().begin;
    loaded.problems.push_back({name, at.line, at.column, std::string(error.description())});
  }
  std::stable_sort(loaded.problems.begin(), loaded.problems.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return loaded;
}

Loaded load_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    Loaded loaded;
    // An empty file reads as nothing, which sets failbit on the output.
    if (file && file.peek() == std::ifstream::traits_type::eof() && errno == 0) return load_text("", path);
    loaded.problems.push_back(
        {path, 0, 0, std::string("cannot be read: ") + std::strerror(errno == 0 ? EIO : errno)});
    return loaded;
  }
  return load_text(text.str(), path);
}

}  // namespace pixmilter::config
