// The IDAT chunk of a PNG: filtered rows go in, one zlib stream (RFC 1950) stands behind the chunks before
// it.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "render/png_strategy.h"
#include "render/run_helper.h"

namespace pixmilter::render {

class Idat {
 public:
  // Appends to out, which lives longer. total: bytes that will be added; it says how much room to take.
  // out may not exceed max_bytes.
  Idat(std::string& out, std::uint64_t total, std::uint64_t max_bytes);
  ~Idat();
  Idat(const Idat&) = delete;
  Idat& operator=(const Idat&) = delete;

  // smallest: bytes count more than time.
  void prefer_smallest() { smallest_ = true; }

  // What needs no search may be deflated in a second thread. The bytes are the same.
  void allow_helper() { helper_allowed_ = true; }

  // Takes the first size bytes of strip, whose memory may be exchanged for other. Each strip may be deflated
  // in another way. False: out of memory or over the limit.
  bool add(std::vector<std::uint8_t>& strip, std::size_t size, const PngStrategy& strategy);
  bool finish();

 private:
  bool add_runs(std::vector<std::uint8_t>& strip, std::size_t size);
  bool take_from_helper();
  void take_room(std::size_t size, std::size_t deflated);
  bool search(const std::uint8_t* bytes, std::size_t size, int level);
  bool search_waiting();
  bool search_to_the_end();
  bool start_search(int level);
  bool stop_search(int flush);
  bool change_level(int level);
  bool run_zlib(const std::uint8_t* bytes, std::size_t size, int flush);
  bool append(const std::uint8_t* bytes, std::size_t size);

  std::string& out_;
  std::size_t begin_;
  std::uint64_t left_;
  std::uint64_t max_bytes_;
  std::uint32_t adler_ = 1;
  bool room_taken_ = false;
  bool helper_allowed_ = false;
  std::optional<RunHelper> helper_;
  z_stream stream_{};
  bool open_ = false;
  bool searching_ = false;
  int level_ = 0;
  bool smallest_ = false;
  std::vector<std::uint8_t> waiting_;  // to be searched at waiting_level_
  int waiting_level_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::vector<std::uint8_t> tail_;  // what was added last without zlib, for what it then finds in it
};

}  // namespace pixmilter::render
