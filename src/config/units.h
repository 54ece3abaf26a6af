// The units of configuration values: sizes, durations, sockets, paths; and the distance between two names.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pixmilter::config {

// "500", "500K", "10M", "1G": bytes, K M G are powers of 1024. Up to 2^60.
Result<std::uint64_t> parse_size(std::string_view text);

// "250ms", "30s", "5m": a number with its unit, more than nothing and at most a day.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// unix:PATH (at most 107 bytes), inet:PORT@HOST, inet6:PORT@HOST, fd:N.
Status check_socket(std::string_view text);

// An absolute path whose spelling says where it leads: no "." and "..", no empty component but at the end.
Status check_absolute(std::string_view path);

// The same for a folder beneath another: one or more plain components.
Status check_folder(std::string_view path);

// HOST:PORT or [ADDRESS]:PORT, for TCP; empty: none.
Status check_address(std::string_view text);
struct HostAndPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};
HostAndPort split_address(std::string_view checked);

// How many characters have to be put in, taken out or exchanged to make one word of the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace pixmilter::config
