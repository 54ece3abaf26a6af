// What the pool of render workers may use, as plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pixmilter::worker {

struct PoolOptions {
  std::uint32_t workers = 0;                  // at work at once; 0: one a core
  std::chrono::milliseconds timeout{10'000};  // one image, from when its worker has it
  bool ahead = false;                         // keep workers ready before they are asked for (serve)
  std::uint32_t spares = 1;                   // with ahead: workers that wait for one message's pictures each
  std::uint32_t jobs_per_worker = 500;        // then it is replaced
  std::size_t max_waiting = 1000;             // pictures in the queue, over all messages
  std::uint32_t crashes_per_zygote = 10;      // then the zygote is replaced
  std::chrono::milliseconds start_timeout{20'000};  // of a zygote, and of a worker from fork to ready
  std::chrono::milliseconds fork_timeout{3'000};    // of a zygote that has started, to make a worker
  std::chrono::milliseconds heartbeat{5'000};       // a zygote that has been silent for so long is asked
  std::chrono::milliseconds silence{15'000};        // and replaced where it does not answer within this
  std::uint32_t kills_to_refuse = 2;                // workers that a picture may end
  std::chrono::milliseconds refusal{600'000};       // how long such a picture is refused
};

}  // namespace pixmilter::worker
