// The surroundings that libvips and what it loads are given before the first of them starts.
#pragma once

#include <string>

namespace pixmilter::render {

// Whether the environment is exactly what worker/wire_start.h lists.
bool has_fixed_environment();

// Starts this program again with that environment and the same arguments. Returns only on failure.
void start_again(char** argv);

// What is still sent when GLib ends the process because there is no memory left: a packet, made while
// there was some, to a socket; nothing while there is none.
struct LastWords {
  int socket = -1;
  std::string packet;
};

// GLib: messages to stderr by one write each. Before libvips starts. The words live as long as the process.
void prepare_process(const LastWords& words);

// Starts libvips: one thread, no caches. False when that fails.
bool start_vips();

}  // namespace pixmilter::render
