// The surroundings that libvips and what it loads are given before the first of them starts.
#pragma once

namespace pixmilter::render {

// Whether the environment is exactly what worker/wire_start.h lists.
bool has_fixed_environment();

// Starts this program again with that environment and the same arguments. Returns only on failure.
void start_again(char** argv);

// Allocator and GLib: one heap, freed memory overwritten, messages to stderr by one write each. Before
// libvips starts.
void prepare_process();

// Starts libvips: one thread, no caches. False when that fails.
bool start_vips();

}  // namespace pixmilter::render
