// How the render program is started: its options and its environment, for who starts it and for itself.
//
// The program takes its orders over an inherited socket; what is fixed for its whole life (limits, how it
// is sealed) stands on its command line, where the front cannot change it.
#pragma once

#include <array>

namespace pixmilter::worker::wire {

// The program is given its socket under this number.
inline constexpr int kZygoteFd = 3;

inline constexpr char kOptionFd[] = "--zygote-fd";     // N
inline constexpr char kOptionSandbox[] = "--sandbox";  // required | best-effort
inline constexpr char kOptionMemory[] = "--memory";    // bytes, one worker
inline constexpr char kOptionCpu[] = "--cpu-seconds";  // one worker, its whole life
inline constexpr char kOptionLoaders[] = "--loaders";  // png,jpeg,...: words of [render] loaders

// The whole environment; the program starts itself again with it when it finds another one.
inline constexpr std::array kEnvironment = {
    "VIPS_NOVECTOR=1",                       // Orc otherwise writes machine code to files to run it
    "VIPS_DISC_THRESHOLD=1000000000000000",  // libvips otherwise spills large pictures to /tmp
    "VIPS_CONCURRENCY=1",                    // a worker is one picture at a time
    "MALLOC_ARENA_MAX=1",                    // one heap: an address-space limit then means something
    "G_SLICE=always-malloc",                 // GLib's own allocator overwrites nothing that is freed
    "LC_CTYPE=C.UTF-8",                      // characters only: no catalogue of messages is looked for
    "PATH=/nonexistent",
    "HOME=/nonexistent",
    "G_DEBUG=",
};

}  // namespace pixmilter::worker::wire
