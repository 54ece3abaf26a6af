// BufferPool: buffers that are used again, by whatever thread, so that what fills them neither grows them
// anew nor meets pages that come fresh from the system.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace pixmilter {

// Safe from every thread; each call holds its lock for a few instructions.
class BufferPool {
 public:
  // Keeps no more than largest bytes of one buffer, and no more than most bytes in all. What a larger one has
  // beyond that goes back to the system, though the room for it stays.
  BufferPool(std::size_t largest, std::size_t most) : largest_(largest), most_(most) {}

  // An empty buffer, with the room that it was given back with; without room where none is kept.
  std::string take();
  // Its bytes are of no more use.
  void give(std::string buffer);
  // Frees what is kept.
  void release();

 private:
  std::size_t memory(const std::string& buffer) const;

  const std::size_t largest_;
  const std::size_t most_;
  std::mutex mutex_;
  std::vector<std::string>
      kept_;               // what was given last is taken first: it may still be in the processor's cache
  std::size_t bytes_ = 0;  // their memory
};

}  // namespace pixmilter
