// Deflate without a search: each byte by its frequency, and runs of equal bytes.
//
// What a filter leaves of a camera picture repeats nowhere, so looking for repetitions costs time and gains
// nothing. Codes alone go at the speed of memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pixmilter::render {

// The most bytes that deflate_runs() writes for so many, and room that it needs behind them.
std::size_t deflate_runs_bound(std::size_t size);

// Raw deflate (RFC 1951) of size bytes: whole blocks, none marked as the last, ending at a whole byte, so
// that results can be put behind each other. out has deflate_runs_bound(size) bytes. Returns the bytes
// written. Needs no memory but the stack's, and may run in any thread.
std::size_t deflate_runs(const std::uint8_t* bytes, std::size_t size, std::uint8_t* out);

}  // namespace pixmilter::render
