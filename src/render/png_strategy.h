// How a strip of PNG rows is filtered and deflated: chosen from a sample of it.
//
// Grain, as cameras and noise have it, holds no repetitions that deflate could find: searching for them costs
// many times what coding the filtered bytes by their frequency does, and gives next to nothing. Drawings, and
// what comes out of a JPEG, are the opposite. tests/bench/png_bench.cc has the figures.
#pragma once

#include <libdeflate.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "render/png_filter.h"

namespace pixmilter::render {

struct PngStrategy {
  Filter filter = Filter::up;
  bool search = false;  // for repetitions; else deflate_runs()
  int level = 1;        // of the search: zlib's
  friend bool operator==(const PngStrategy&, const PngStrategy&) = default;
};

class PngChooser {
 public:
  // smallest: bytes count more than time. palette: the bytes are numbers of colours, which have no
  // neighbourhood: a difference to the left is worth nothing.
  PngChooser(bool smallest, bool palette) : smallest_(smallest), palette_(palette) {}

  PngStrategy choose(const Rows& rows);

 private:
  // What a filter makes of some rows in the middle of a strip.
  struct Sample {
    Filter filter = Filter::none;
    std::vector<std::uint8_t> bytes;
  };
  // The filter after which codes by frequency take the least.
  Filter best_by_codes(const Rows& rows);
  void take_sample(const Rows& rows, Filter filter, Sample& sample);
  // Bytes that a sample takes when repetitions are searched, with the fastest level there is.
  double searched(const Sample& sample);

  struct Free {
    void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
  };
  bool smallest_;
  bool palette_;
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
  std::vector<std::uint8_t> scratch_;
  Sample plain_;
  Sample up_;
  Sample coded_;
};

}  // namespace pixmilter::render
