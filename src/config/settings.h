// Settings: the configuration as plain values, at their built-in defaults.
//
// DESIGN.md section 5 names the keys. Nothing here knows TOML; load.h fills these from a file.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/log.h"
#include "config/rule.h"
#include "config/url_pattern.h"

namespace pixmilter::config {

struct Milter {
  std::string socket =
      "unix:/run/pixmilter/pixmilter.sock";    // unix:PATH, inet:PORT@HOST, inet6:PORT@HOST, fd:N
  std::uint32_t socket_mode = 0660;            // permission bits of a unix socket
  std::string socket_group = "postfix";        // its group; used where it exists
  std::chrono::milliseconds deadline{30'000};  // for one message
  bool operator==(const Milter&) const = default;
};

enum class Sandbox : std::uint8_t { required, best_effort };

struct Render {
  std::uint32_t workers = 0;  // at work at once; 0: one a core
  std::vector<std::string> loaders = {"png", "jpeg", "gif", "webp", "tiff", "heif", "svg"};
  Sandbox sandbox = Sandbox::required;
  std::chrono::milliseconds timeout{10'000};  // one image
  std::uint64_t memory = 512ull << 20;        // bytes, one worker
  std::uint64_t max_pixels = 64'000'000;      // of one frame
  std::uint32_t max_frames = 64;
  bool operator==(const Render&) const = default;
};

struct Assets {
  std::string root = "/var/lib/pixmilter/assets";  // absolute; empty: no assets are served
  std::uint64_t max_bytes = 10ull << 20;           // of one asset, and of a template that is filled in
  std::uint64_t max_total = 64ull << 20;           // all assets of one message, in bytes, filled in
  std::uint32_t line = 0;                          // where the file says root; 0: it does not
  // Wherever it is said, it means the same.
  bool operator==(const Assets& other) const {
    return root == other.root && max_bytes == other.max_bytes && max_total == other.max_total;
  }
};

// Pictures by URL.
struct Fetch {
  std::vector<UrlPattern> allow;             // empty: nothing is fetched, and there is no fetch process
  bool allow_private = false;                // addresses that are not the Internet's, and the host's own
  std::chrono::milliseconds timeout{5'000};  // one URL, its redirects included
  std::uint64_t max_bytes = 10ull << 20;     // one response, before and after its content coding is undone
  std::uint64_t max_total = 64ull << 20;     // all responses for one message, in bytes
  std::uint32_t max_redirects = 3;
  std::uint32_t max_concurrent = 16;  // URLs under way at once, over all messages
  std::string ca_file;                // PEM; empty: the system's authorities
  std::string headers_file;           // headers for certain hosts (source/fetch_headers.h)
  std::uint32_t line = 0;             // where the file says allow; 0: it lists nothing
  bool operator==(const Fetch&) const = default;
};

struct Cache {
  std::uint64_t memory = 64ull << 20;               // bytes, everything counted; 0: none
  std::uint64_t fetched = 16ull << 20;              // the same for what was fetched
  std::string redis;                                // where it is (redis_url.h); empty: none
  std::chrono::milliseconds redis_timeout{20};      // the most that it may add to one message
  std::string redis_prefix = "pixmilter:";          // of every key
  std::chrono::milliseconds redis_ttl{86'400'000};  // how long Redis keeps an entry
  std::uint64_t redis_max_value = 16ull << 20;      // bytes of an entry; larger ones stay in memory
  bool operator==(const Cache&) const = default;
};

struct Metrics {
  std::string listen;  // HOST:PORT or [ADDRESS]:PORT; empty: nowhere
  bool operator==(const Metrics&) const = default;
};

struct Settings {
  Mode mode = Mode::enforce;
  log::Style log;
  Milter milter;
  Render render;
  Assets assets;
  Fetch fetch;
  Cache cache;
  Metrics metrics;
  Policy defaults;
  std::vector<Rule> rules;
  bool operator==(const Settings&) const = default;
};

}  // namespace pixmilter::config
