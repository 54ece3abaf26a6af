#include "render/environment.h"

#include <sys/socket.h>
#include <unistd.h>
#include <vips/vips.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "base/sanitized.h"
#include "worker/wire_start.h"

namespace pixmilter::render {

namespace wire = worker::wire;

namespace {

// One line on stderr is no longer, in bytes.
constexpr std::size_t kLongestLine = 300;

bool allowed(std::string_view variable) {
  if (std::find(wire::kEnvironment.begin(), wire::kEnvironment.end(), variable) != wire::kEnvironment.end())
    return true;
  return kSanitized && variable.find("SAN_OPTIONS=") != std::string_view::npos;
}

// GLib's own writer asks for journals, terminals and character sets; ours writes a line to descriptor 2.
GLogWriterOutput write_line(GLogLevelFlags level, const GLogField* fields, gsize count, gpointer user_data) {
  // Warnings repeat what the picture's error says, or are about pictures that are decoded all the same.
  constexpr int kWorthSaying = G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL;
  if ((level & kWorthSaying) == 0) return G_LOG_WRITER_HANDLED;
  std::array<char, kLongestLine> line;
  std::size_t size = 0;
  const auto add = [&](std::string_view text) {
    text = text.substr(0, line.size() - 1 - size);
    std::memcpy(line.data() + size, text.data(), text.size());
    size += text.size();
  };
  const auto add_field = [&](std::string_view name, std::string_view end) {
    for (gsize i = 0; i < count; ++i) {
      if (name != fields[i].key) continue;
      const auto* value = static_cast<const char*>(fields[i].value);
      add(fields[i].length < 0 ? std::string_view(value)
                               : std::string_view(value, static_cast<std::size_t>(fields[i].length)));
      add(end);
    }
  };
  add_field("GLIB_DOMAIN", ": ");
  add_field("MESSAGE", "");
  std::replace(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(size), '\n', ' ');
  line[size++] = '\n';
  // g_malloc() does not return what it cannot have.
  const auto* words = static_cast<const LastWords*>(user_data);
  if ((level & G_LOG_LEVEL_ERROR) != 0 && words->socket >= 0 &&
      std::string_view(line.data(), size).find("failed to allocate") != std::string_view::npos) {
    ::send(words->socket, words->packet.data(), words->packet.size(), MSG_NOSIGNAL);
    ::_exit(0);
  }
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), size);
  return G_LOG_WRITER_HANDLED;
}

}  // namespace

bool has_fixed_environment() {
  std::size_t found = 0;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!allowed(*variable)) return false;
    found += std::find(wire::kEnvironment.begin(), wire::kEnvironment.end(), std::string_view(*variable)) !=
             wire::kEnvironment.end();
  }
  return found == wire::kEnvironment.size();
}

void start_again(char** argv) {
  std::array<char*, wire::kEnvironment.size() + 1> environment{};
  for (std::size_t i = 0; i < wire::kEnvironment.size(); ++i)
    environment[i] = const_cast<char*>(wire::kEnvironment[i]);
  ::execve("/proc/self/exe", argv, environment.data());
}

void prepare_process(const LastWords& words) {
  g_log_set_writer_func(write_line, const_cast<LastWords*>(&words), nullptr);
}

bool start_vips() {
  if (VIPS_INIT("pixmilter-render") != 0) return false;
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_cache_set_max_mem(0);
  vips_cache_set_max_files(0);
  return true;
}

}  // namespace pixmilter::render
