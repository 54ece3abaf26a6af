// confine: what a process of ours gives up that reads mail but decodes no picture.
//
// It cannot be sealed like a render worker, since it serves a library's threads and sockets. So it keeps what
// is harmless and loses the rest for good: running programs, other processes, files beyond its reach, writing
// any file at all, the network beyond its ports, changing the kernel's state. Each of Landlock and the
// deny-list of system calls stands when the other is missing.
#pragma once

#include <string>
#include <vector>

#include "base/landlock.h"

namespace pixmilter {

// What every program needs that is made of Debian's libraries: character set converters that are loaded
// when first asked for, the time zone, how names of hosts are found.
std::vector<std::string> system_files();

// The calling process, which has one thread, for good; children as well. What the kernel did not give, each
// as half a sentence: "no Landlock: ...". Empty: all of it.
std::vector<std::string> confine(const Reach& reach);

// A sentence for the log about what confine() found missing; empty where nothing is.
std::string confinement_report(const std::vector<std::string>& missing);

// What confine() would not get here. Tried in a child, so nothing changes for the caller.
std::vector<std::string> probe_confinement();

}  // namespace pixmilter
