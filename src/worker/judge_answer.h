// judge_answer: what the front makes of the packet that a worker sent for a job.
//
// The worker may have been taken over by the picture, so nothing it says is believed before it is checked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/job.h"

namespace pixmilter::worker {

// What the front knows of the job by itself.
struct Expected {
  std::uint64_t number = 0;
  std::uint64_t max_bytes = 0;   // of the encoded picture, and of the memory that the worker can write to
  std::uint64_t max_pixels = 0;  // of one frame
};

struct Judgement {
  // violated: the worker is not to be used again, and the reason says why.
  image::ImageResult result;
  bool retire = false;            // the worker wants to be replaced
  std::uint64_t output_size = 0;  // not 0: no result yet, the worker waits for memory of so many bytes
};

// copy_output is called at most once, with at most expected.max_bytes, and gives a copy of the first bytes of
// the memory: only that copy is looked at, and only it goes on. Not called for a picture that the packet
// holds. Empty where the worker has been given no memory yet.
Judgement judge_answer(std::string_view packet, bool carries_descriptors, const Expected& expected,
                       const std::function<Result<std::string>(std::uint64_t size)>& copy_output);

}  // namespace pixmilter::worker
