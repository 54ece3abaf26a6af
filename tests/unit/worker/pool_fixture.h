// The pool against the real render program, and what its tests see of the processes beneath it.
#pragma once

#include <dirent.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <string>

#include "worker/pool.h"

namespace pixmilter::worker {

using image::Format;
using image::ImageJob;
using image::ImageResult;
using image::Status;

// Random gray pixels: their PNG takes time in proportion to their number.
struct Pixels {
  Pixels(std::uint32_t width, std::uint32_t height, unsigned seed = 1) {
    bytes.resize(std::size_t{width} * height);
    std::mt19937 random(seed);
    for (char& c : bytes) c = static_cast<char>(random());
    job.bytes = bytes;
    job.format = Format::raw;
    job.layout.width = width;
    job.layout.height = height;
  }
  std::string bytes;
  ImageJob job;
};

// The processes of this test: children and their children, by parent.
inline std::set<pid_t> children_of(pid_t parent) {
  std::set<pid_t> found;
  DIR* proc = ::opendir("/proc");
  while (const dirent* entry = ::readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto end = line.rfind(')');
    if (end == std::string::npos) continue;
    char state = 0;
    pid_t of = 0;
    std::istringstream(line.substr(end + 1)) >> state >> of;
    if (of == parent) found.insert(pid);
  }
  ::closedir(proc);
  return found;
}

// 'R' for one that works, 'S' for one that waits, 'Z' for one that has ended and not been reaped.
inline char state(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(')');
  return end + 2 < line.size() ? line[end + 2] : '\0';
}

inline std::set<pid_t> zygotes() { return children_of(::getpid()); }

inline std::set<pid_t> workers() {
  std::set<pid_t> all;
  for (const pid_t zygote : zygotes()) all.merge(children_of(zygote));
  return all;
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* fds = ::opendir("/proc/self/fd");
  while (::readdir(fds) != nullptr) ++count;
  ::closedir(fds);
  return count;
}

// Generous: a machine with more work than cores holds a process off the processor for seconds.
inline bool eventually(const std::function<bool()>& holds, Milliseconds within = Milliseconds(60'000)) {
  for (const Deadline deadline = Deadline::after(within); !deadline.passed(); ::usleep(5'000))
    if (holds()) return true;
  return holds();
}

class PoolFixture : public ::testing::Test {
 protected:
  // Time runs out where a test makes it, not where the machine lets a worker or the zygote wait.
  PoolFixture() {
    options.workers = 2;
    options.timeout = Milliseconds(60'000);
    options.fork_timeout = Milliseconds(60'000);
  }
  ~PoolFixture() override { pool.reset(); }

  Pool& start() {
    pool = std::make_unique<Pool>(options, child_zygotes(program));
    pool->prepare();
    return *pool;
  }
  static Deadline soon() { return Deadline::after(Milliseconds(60'000)); }
  ImageResult one(const ImageJob& job, Deadline deadline = soon()) {
    return pool->render(std::span(&job, 1), deadline).at(0);
  }
  // What becomes of a picture without fault, where the time for one image is short: should its worker be held
  // off the processor for all of it, that says nothing, and the next picture is asked for. Each is another
  // one, for two such misfortunes would have it refused.
  ImageResult flawless() {
    ImageResult result;
    for (int i = 0; i < 20; ++i) {
      result = one(Pixels(8, 8, ++last_seed).job);
      if (result.status != Status::timeout) break;
    }
    return result;
  }
  // All that are made ahead have said that they are ready, of so many zygotes: what the front has of them is
  // there as well. By their number alone they could be the trials that a zygote makes of the seal before.
  bool all_ready(std::uint64_t generations = 1) {
    return eventually([&] {
      const std::size_t all = options.workers + options.spares;
      return pool->counters().workers_started >= all * generations && workers().size() == all &&
             zygotes().size() == 1;
    });
  }

  PoolOptions options;
  RenderProgram program;
  std::unique_ptr<Pool> pool;
  unsigned last_seed = 1000;
};

}  // namespace pixmilter::worker
