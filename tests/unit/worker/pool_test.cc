// The pool against the real render program: what it renders, and what becomes of a message when its
// workers are killed, stopped, or cannot be had.
#include "worker/pool.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "base/socket.h"

namespace pixmilter::worker {
namespace {

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
std::set<pid_t> children_of(pid_t parent) {
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

// 'R' for one that works, 'S' for one that waits.
char state(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(')');
  return end + 2 < line.size() ? line[end + 2] : '\0';
}

std::set<pid_t> zygotes() { return children_of(::getpid()); }

std::set<pid_t> workers() {
  std::set<pid_t> all;
  for (const pid_t zygote : zygotes()) all.merge(children_of(zygote));
  return all;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* fds = ::opendir("/proc/self/fd");
  while (::readdir(fds) != nullptr) ++count;
  ::closedir(fds);
  return count;
}

bool eventually(const std::function<bool()>& holds, Milliseconds within = Milliseconds(10'000)) {
  for (const Deadline deadline = Deadline::after(within); !deadline.passed(); ::usleep(5'000))
    if (holds()) return true;
  return holds();
}

class PoolTest : public ::testing::Test {
 protected:
  PoolTest() { options.workers = 2; }
  ~PoolTest() override { pool.reset(); }

  Pool& start() {
    pool = std::make_unique<Pool>(options, child_zygotes(program));
    pool->prepare();
    return *pool;
  }
  static Deadline soon() { return Deadline::after(Milliseconds(60'000)); }
  ImageResult one(const ImageJob& job, Deadline deadline = soon()) {
    return pool->render(std::span(&job, 1), deadline).at(0);
  }

  PoolOptions options;
  RenderProgram program;
  std::unique_ptr<Pool> pool;
};

TEST_F(PoolTest, RendersAPicture) {
  start();
  const Pixels pixels(64, 48);
  const ImageResult result = one(pixels.job);
  EXPECT_EQ(result.status, Status::ok) << result.reason;
  EXPECT_EQ(result.format, Format::png);
  EXPECT_EQ(result.width, 64U);
  EXPECT_EQ(result.height, 48U);
  EXPECT_EQ(result.bytes.substr(1, 3), "PNG");
}

TEST_F(PoolTest, StartsNothingBeforeItIsAskedUnlessToldSo) {
  const std::size_t before = open_descriptors();
  start();
  EXPECT_TRUE(zygotes().empty());
  pool.reset();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(PoolTest, NoJobsNoWork) {
  start();
  EXPECT_TRUE(pool->render({}, soon()).empty());
  EXPECT_TRUE(zygotes().empty());
}

TEST_F(PoolTest, MakesWorkersAhead) {
  options.ahead = true;
  start();
  EXPECT_TRUE(eventually([] { return workers().size() == 3; })) << workers().size();
  EXPECT_EQ(zygotes().size(), 1U);
  ::usleep(300'000);
  EXPECT_EQ(workers().size(), 3U);
}

TEST_F(PoolTest, ResultsComeInTheOrderOfTheJobs) {
  start();
  std::vector<Pixels> pixels;
  for (std::uint32_t i = 1; i <= 50; ++i) pixels.emplace_back(i * 7 % 50 + 1, 3, i);
  std::vector<ImageJob> jobs;
  for (auto& each : pixels) {
    each.job.bytes = each.bytes;
    jobs.push_back(each.job);
  }
  const auto results = pool->render(jobs, soon());
  ASSERT_EQ(results.size(), jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(results[i].status, Status::ok) << results[i].reason;
    EXPECT_EQ(results[i].width, jobs[i].layout.width);
  }
  EXPECT_LE(workers().size(), 2U);
}

TEST_F(PoolTest, GarbageIsRefusedAndTheWorkerGoesOn) {
  start();
  ImageJob job;
  job.bytes = "no picture at all";
  job.format = Format::png;
  EXPECT_EQ(one(job).status, Status::refused);
  const auto before = workers();
  job.bytes = "";
  EXPECT_EQ(one(job).status, Status::refused);
  job.bytes = "still no picture";
  const ImageResult result = one(job);
  EXPECT_EQ(result.status, Status::refused);
  EXPECT_FALSE(result.reason.empty());
  EXPECT_EQ(workers(), before);
}

TEST_F(PoolTest, AnEncodedPictureOverTheLimitIsALimit) {
  start();
  Pixels pixels(200, 200);
  pixels.job.limits.max_output_bytes = 1000;
  EXPECT_EQ(one(pixels.job).status, Status::limit);
}

TEST_F(PoolTest, AKilledWorkerCostsItsPictureOnly) {
  options.workers = 1;
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  const auto before = workers();
  ASSERT_EQ(before.size(), 1U);
  const Pixels large(6000, 6000);
  std::thread killer([&] {
    eventually([&] { return state(*before.begin()) == 'R'; });
    ::kill(*before.begin(), SIGKILL);
  });
  const std::vector<ImageJob> jobs = {large.job, small.job, small.job};
  const auto results = pool->render(jobs, soon());
  killer.join();
  EXPECT_EQ(results[0].status, Status::crashed);
  EXPECT_NE(results[0].reason.find("signal 9"), std::string::npos) << results[0].reason;
  EXPECT_EQ(results[1].status, Status::ok) << results[1].reason;
  EXPECT_EQ(results[2].status, Status::ok) << results[2].reason;
  EXPECT_TRUE(eventually([&] { return workers().size() == 1; }));
  EXPECT_NE(workers(), before);
}

TEST_F(PoolTest, AStoppedWorkerIsKilledWhenItsTimeIsUp) {
  options.timeout = Milliseconds(400);
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  const auto before = workers();
  for (const pid_t pid : before) ::kill(pid, SIGSTOP);
  const auto begun = Clock::now();
  EXPECT_EQ(one(small.job).status, Status::timeout);
  EXPECT_LT(Clock::now() - begun, Milliseconds(2'000));
  EXPECT_EQ(one(small.job).status, Status::ok);
  EXPECT_TRUE(eventually([&] {
    for (const pid_t pid : workers())
      if (before.contains(pid)) return false;
    return true;
  }));
}

TEST_F(PoolTest, TheMessagesDeadlineEndsTheWait) {
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  for (const pid_t pid : workers()) ::kill(pid, SIGSTOP);
  const auto begun = Clock::now();
  const std::vector<ImageJob> jobs(10, small.job);
  for (const auto& result : pool->render(jobs, Deadline::after(Milliseconds(300))))
    EXPECT_TRUE(result.status == Status::timeout || result.status == Status::ok);
  EXPECT_LT(Clock::now() - begun, Milliseconds(2'000));
  EXPECT_EQ(one(small.job, Deadline::after(Milliseconds(0))).status, Status::timeout);
}

TEST_F(PoolTest, AKilledZygoteIsReplaced) {
  options.ahead = true;
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  ASSERT_TRUE(eventually([] { return workers().size() == 3; }));
  const auto before = zygotes();
  for (const pid_t pid : before) ::kill(pid, SIGKILL);
  EXPECT_TRUE(eventually([&] { return zygotes() != before && workers().size() == 3; }));
  EXPECT_TRUE(eventually([] { return zygotes().size() == 1; }));
  EXPECT_EQ(one(small.job).status, Status::ok);
}

TEST_F(PoolTest, AStoppedZygoteIsReplaced) {
  options.fork_timeout = Milliseconds(1'000);
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  const auto before = zygotes();
  for (const pid_t pid : before) ::kill(pid, SIGSTOP);
  for (const pid_t pid : workers()) ::kill(pid, SIGKILL);
  const ImageResult result = one(small.job);
  EXPECT_TRUE(result.status == Status::ok || result.status == Status::crashed) << result.reason;
  EXPECT_EQ(one(small.job).status, Status::ok);
  EXPECT_NE(zygotes(), before);
}

TEST_F(PoolTest, AStoppedZygoteIsReplacedThoughNobodyNeedsIt) {
  options.ahead = true;
  options.heartbeat = Milliseconds(100);
  options.silence = Milliseconds(2'000);
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  ASSERT_TRUE(eventually([] { return workers().size() == 3; }));
  const auto before = zygotes();
  // It says something now and then, and is left alone.
  std::this_thread::sleep_for(Milliseconds(500));
  ASSERT_EQ(zygotes(), before);
  for (const pid_t pid : before) ::kill(pid, SIGSTOP);
  EXPECT_TRUE(
      eventually([&] { return zygotes().size() == 1 && zygotes() != before && workers().size() == 3; }));
  EXPECT_EQ(one(small.job).status, Status::ok);
}

TEST_F(PoolTest, TheZygoteIsReplacedAfterAFewCrashes) {
  options.workers = 1;
  options.crashes_per_zygote = 3;
  options.kills_to_refuse = 1000;
  options.timeout = Milliseconds(300);
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  const auto before = zygotes();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(eventually([&] { return one(small.job).status == Status::ok; }));
    for (const pid_t pid : workers()) ::kill(pid, SIGSTOP);
    EXPECT_EQ(one(small.job).status, Status::timeout);
  }
  EXPECT_EQ(one(small.job).status, Status::ok);
  EXPECT_NE(zygotes(), before);
}

TEST_F(PoolTest, APictureThatKilledTwoWorkersIsRefusedForAWhile) {
  options.workers = 1;
  options.timeout = Milliseconds(300);
  options.refusal = Milliseconds(3'000);
  start();
  const Pixels good(8, 8, 1);
  const Pixels bad(8, 8, 2);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(one(good.job).status, Status::ok);
    for (const pid_t pid : workers()) ::kill(pid, SIGSTOP);
    ASSERT_EQ(one(bad.job).status, Status::timeout);
  }
  EXPECT_EQ(one(bad.job).status, Status::refused);
  EXPECT_EQ(one(good.job).status, Status::ok);
  ::usleep(3'100'000);
  EXPECT_EQ(one(bad.job).status, Status::ok);
}

TEST_F(PoolTest, AWorkerIsReplacedAfterItsShareOfJobs) {
  options.workers = 1;
  options.jobs_per_worker = 5;
  start();
  const Pixels small(8, 8);
  for (int i = 0; i < 23; ++i) ASSERT_EQ(one(small.job).status, Status::ok);
  EXPECT_EQ(pool->counters().workers_started, 5U);
}

TEST_F(PoolTest, AProgramThatIsNotThereIsSaidAtOnce) {
  program.path = "/nonexistent/pixmilter-render";
  start();
  const Pixels small(8, 8);
  const auto begun = Clock::now();
  const ImageResult result = one(small.job);
  EXPECT_EQ(result.status, Status::crashed);
  EXPECT_NE(result.reason.find("/nonexistent/pixmilter-render"), std::string::npos) << result.reason;
  EXPECT_LT(Clock::now() - begun, Milliseconds(2'000));
}

TEST_F(PoolTest, AProgramThatEndsAtOnceIsGivenUp) {
  program.path = "/bin/true";
  start();
  const Pixels small(8, 8);
  const auto begun = Clock::now();
  EXPECT_EQ(one(small.job).status, Status::crashed);
  EXPECT_LT(Clock::now() - begun, Milliseconds(5'000));
}

TEST_F(PoolTest, AQueueThatIsFullDegrades) {
  options.workers = 1;
  options.max_waiting = 5;
  start();
  const Pixels large(4000, 4000);
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  std::atomic<int> turned_away{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      ::usleep(static_cast<useconds_t>(20'000 * i));
      const std::vector<ImageJob> jobs(2, i == 0 ? large.job : small.job);
      for (const auto& result : pool->render(jobs, soon())) {
        if (result.status == Status::ok) ++done;
        if (result.status == Status::timeout) ++turned_away;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done + turned_away, 16);
  EXPECT_GT(turned_away, 0);
  EXPECT_GT(done, 4);
}

// What the front lacks is not laid to the workers.
TEST_F(PoolTest, WithoutDescriptorsAPictureStaysAndTheWorkersToo) {
  start();
  const Pixels pixels(64, 48);
  ASSERT_EQ(one(pixels.job).status, Status::ok);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const ImageResult result = one(pixels.job);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(result.status, Status::limit) << result.reason;
  EXPECT_EQ(one(pixels.job).status, Status::ok);
  EXPECT_EQ(pool->counters().workers_started, 1U);
}

TEST_F(PoolTest, EightThreadsNoLeak) {
  options.ahead = true;
  options.jobs_per_worker = 20;
  start();
  const Pixels small(32, 32);
  ASSERT_EQ(one(small.job).status, Status::ok);
  ASSERT_TRUE(eventually([] { return workers().size() == 3; }));
  const std::size_t before = open_descriptors();
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      for (unsigned round = 0; round < 25; ++round) {
        const Pixels pixels(i + 1, round + 1, i);
        const std::vector<ImageJob> jobs(1 + round % 3, pixels.job);
        for (const auto& result : pool->render(jobs, soon()))
          if (result.status != Status::ok || result.width != i + 1 || result.height != round + 1) ++bad;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(bad, 0);
  EXPECT_TRUE(eventually([&] { return workers().size() == 3 && open_descriptors() == before; }))
      << workers().size() << " workers, " << open_descriptors() << " descriptors after " << before;
}

TEST_F(PoolTest, NothingIsLeftBehind) {
  const std::size_t before = open_descriptors();
  options.ahead = true;
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  const auto there = workers();
  ASSERT_FALSE(there.empty());
  pool.reset();
  EXPECT_TRUE(zygotes().empty());
  EXPECT_TRUE(eventually([&] {
    for (const pid_t pid : there)
      if (::kill(pid, 0) == 0) return false;
    return true;
  }));
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace pixmilter::worker
