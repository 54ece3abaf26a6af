#include "base/buffer_pool.h"

#include <algorithm>
#include <utility>

#include "base/large_pages.h"

namespace pixmilter {

std::size_t BufferPool::memory(const std::string& buffer) const {
  return std::min(buffer.capacity(), largest_);
}

std::string BufferPool::take() {
  const std::lock_guard lock(mutex_);
  if (kept_.empty()) return {};
  std::string buffer = std::move(kept_.back());
  kept_.pop_back();
  bytes_ -= memory(buffer);
  return buffer;
}

void BufferPool::give(std::string buffer) {
  buffer.clear();
  if (buffer.capacity() > largest_ && !give_back_beyond(largest_, buffer)) return;
  const std::size_t bytes = memory(buffer);
  const std::lock_guard lock(mutex_);
  if (bytes > most_ - bytes_) return;
  kept_.push_back(std::move(buffer));
  bytes_ += bytes;
}

void BufferPool::release() {
  std::vector<std::string> freed;
  const std::lock_guard lock(mutex_);
  freed.swap(kept_);
  bytes_ = 0;
}

}  // namespace pixmilter
