// How a strip of PNG rows is filtered and deflated: chosen from a sample of it.
//
// Camera pictures and noise hold no repetitions that deflate could find: searching for them costs ten times
// what coding the filtered bytes by their frequency does, and the file gets larger. Drawings are the
// opposite. tests/bench/png_bench.cc has the figures.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>

namespace pixmilter::render {

struct PngStrategy {
  bool up = true;  // filter "up" (the difference to the row above), else none
  int level = 4;   // zlib's
  int method = Z_DEFAULT_STRATEGY;
  friend bool operator==(const PngStrategy&, const PngStrategy&) = default;
};

class PngChooser {
 public:
  // smallest: bytes count more than time.
  explicit PngChooser(bool smallest) : smallest_(smallest) {}
  ~PngChooser();
  PngChooser(const PngChooser&) = delete;
  PngChooser& operator=(const PngChooser&) = delete;

  // plain and up: the same rows, unfiltered and filtered, of size bytes each.
  PngStrategy choose(const std::uint8_t* plain, const std::uint8_t* up, std::size_t size);

 private:
  // Bytes that a sample takes when repetitions are searched, with zlib's fastest level.
  double searched(const std::uint8_t* sample, std::size_t size);

  bool smallest_;
  z_stream stream_{};
  bool open_ = false;
};

}  // namespace pixmilter::render
