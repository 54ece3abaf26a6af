// A second thread for deflate_runs(): one strip there, the next one here, at the same time.
//
// Nobody waits for the thread to be given a processor: what it has not begun is done here, and when the
// picture is finished it goes by itself. It touches nothing but what it shares with us and makes no system
// call but for waiting, so that the seal (render/seal.h) has nothing to add.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace pixmilter::render {

class RunHelper {
 public:
  RunHelper() = default;
  ~RunHelper();
  RunHelper(const RunHelper&) = delete;
  RunHelper& operator=(const RunHelper&) = delete;

  // Whether there is a thread: none on a machine with one processor, or where the system gives none.
  bool start();

  // From here on for the thread that started it, and after start() said yes.

  // Takes over size bytes of a strip; another vector, with what it held, comes back in its place. Only when
  // not busy().
  void give(std::vector<std::uint8_t>& strip, std::size_t size);
  // A strip was given and its result not yet taken.
  bool busy() const { return busy_; }
  // What deflate_runs() made of the strip: good until the next give(). Waits for it, or makes it where the
  // thread has not begun to, as on a machine that has other things to do. Only when busy().
  std::span<const std::uint8_t> take();

 private:
  struct Shared;

  std::shared_ptr<Shared> shared_;  // with the thread
  bool busy_ = false;
};

}  // namespace pixmilter::render
