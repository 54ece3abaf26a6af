// Landlock (landlock(7)): which files a process may still touch, as the kernel's own second opinion.
//
// Raw system calls with our own constants: Debian 12's headers are older than kernels it runs on. Where
// the kernel has no Landlock, everything here says so and changes nothing. All of it needs no_new_privs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace pixmilter {

// The kernel's version of it, 0 where there is none.
int landlock_version();

// For this thread and all that it starts: no file is written, made, removed or executed any more, no TCP
// port is bound or connected to, no signal leaves the process.
Status forbid_writing();

// For every thread of the process: of the file system only what lies beneath these folders can be read;
// with none of them, nothing. Folders that do not exist are passed over.
Status allow_reading_only(std::span<const char* const> folders);

// What is left to a process beside the descriptors that it has.
struct Reach {
  std::vector<std::string> readable;         // files and folders; those that do not exist are passed over
  std::vector<std::uint16_t> connect_ports;  // TCP, of any host
  std::vector<std::uint16_t> listen_ports;   // TCP
  bool operator==(const Reach&) const = default;
};

// For this thread and all that it starts: nothing but the reach, no file written, made, removed or
// executed, no abstract unix socket of others. Signals are left alone: those that we end run outside.
Status allow_only(const Reach& reach);

}  // namespace pixmilter
