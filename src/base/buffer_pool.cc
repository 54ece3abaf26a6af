#include "base/buffer_pool.h"

#include <utility>

namespace pixmilter {

std::string BufferPool::take() {
  const std::lock_guard lock(mutex_);
  if (kept_.empty()) return {};
  std::string buffer = std::move(kept_.back());
  kept_.pop_back();
  bytes_ -= buffer.capacity();
  return buffer;
}

void BufferPool::give(std::string buffer) {
  buffer.clear();
  if (buffer.capacity() > largest_) return;
  const std::lock_guard lock(mutex_);
  if (buffer.capacity() > most_ - bytes_) return;
  const std::size_t room = buffer.capacity();
  kept_.push_back(std::move(buffer));
  bytes_ += room;
}

void BufferPool::release() {
  std::vector<std::string> freed;
  const std::lock_guard lock(mutex_);
  freed.swap(kept_);
  bytes_ = 0;
}

}  // namespace pixmilter
