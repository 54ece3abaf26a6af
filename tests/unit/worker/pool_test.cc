// The pool against the real render program: what it renders, what it makes ahead and replaces, and what
// becomes of a message where workers cannot be had.
#include "worker/pool.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "base/memfd.h"
#include "base/socket.h"
#include "pool_fixture.h"

namespace pixmilter::worker {
namespace {

class PoolTest : public PoolFixture {};

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

TEST_F(PoolTest, ReadsThePictureWhereItLies) {
  start();
  const Pixels pixels(300, 200);
  const ImageResult copied = one(pixels.job);
  ASSERT_EQ(copied.status, Status::ok) << copied.reason;
  auto memory = SharedBytes::make(pixels.bytes.size() + 1000);
  ASSERT_TRUE(memory) << memory.error().text;
  std::copy(pixels.bytes.begin(), pixels.bytes.end(), memory->room());
  ASSERT_TRUE(memory->seal(pixels.bytes.size()));
  ImageJob job = pixels.job;
  job.bytes = memory->view();
  job.memfd = memory->fd();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(one(job).bytes, copied.bytes);
  EXPECT_EQ(memory->view(), pixels.bytes);
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
  EXPECT_TRUE(all_ready()) << workers().size();
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
  EXPECT_LT(Clock::now() - begun, Milliseconds(30'000)) << "the message has 60 s";
}

TEST_F(PoolTest, AProgramThatEndsAtOnceIsGivenUp) {
  program.path = "/bin/true";
  start();
  const Pixels small(8, 8);
  const auto begun = Clock::now();
  EXPECT_EQ(one(small.job).status, Status::crashed);
  EXPECT_LT(Clock::now() - begun, Milliseconds(30'000)) << "the message has 60 s";
}

TEST_F(PoolTest, AQueueThatIsFullDegrades) {
  options.workers = 1;
  options.max_waiting = 5;
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  // Until all have asked, the only worker is busy with the first picture: it is stopped.
  const auto only = workers();
  ASSERT_EQ(only.size(), 1U);
  for (const pid_t pid : only) ::kill(pid, SIGSTOP);
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  std::atomic<int> turned_away{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const std::vector<ImageJob> jobs(2, small.job);
      for (const auto& result : pool->render(jobs, soon())) {
        if (result.status == Status::ok) ++done;
        if (result.status == Status::timeout) ++turned_away;
      }
    });
    // One after the other: several that ask at the same moment may all see the same room.
    EXPECT_TRUE(eventually([&] {
      const auto counters = pool->counters();
      return counters.busy == 1 && static_cast<int>(counters.waiting) + turned_away == 1 + 2 * i;
    })) << i;
  }
  EXPECT_EQ(turned_away, 10);
  for (const pid_t pid : only) ::kill(pid, SIGCONT);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 6);
  EXPECT_EQ(turned_away, 10);
}

// What the front lacks is not laid to the workers.
TEST_F(PoolTest, WithoutDescriptorsAPictureStaysAndTheWorkersToo) {
  start();
  const Pixels small(64, 48);  // travels in packets both ways
  Pixels growing(128, 128);    // does so on its way there only
  growing.job.settings.colormap = image::Colormap::viridis;
  const Pixels large(256, 256);
  for (const Pixels* pixels : {&small, &std::as_const(growing), &large})
    ASSERT_EQ(one(pixels->job).status, Status::ok);
  ASSERT_LE(growing.bytes.size(), wire::kMaxInline);
  ASSERT_GT(one(growing.job).bytes.size(), wire::kMaxInline);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const ImageResult of_small = one(small.job);
  const ImageResult of_growing = one(growing.job);
  const ImageResult of_large = one(large.job);
  const ImageResult of_small_again = one(small.job);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(of_small.status, Status::ok) << of_small.reason;
  EXPECT_EQ(of_growing.status, Status::limit) << of_growing.reason;
  EXPECT_EQ(of_large.status, Status::limit) << of_large.reason;
  EXPECT_EQ(of_small_again.bytes, of_small.bytes);
  for (const Pixels* pixels : {&small, &std::as_const(growing), &large})
    EXPECT_EQ(one(pixels->job).status, Status::ok);
  EXPECT_EQ(pool->counters().workers_started, 1U);
}

TEST_F(PoolTest, EightThreadsNoLeak) {
  options.ahead = true;
  options.jobs_per_worker = 20;
  start();
  const Pixels small(32, 32);
  ASSERT_EQ(one(small.job).status, Status::ok);
  ASSERT_TRUE(all_ready());
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
  // Those of a zygote that had to be killed are nobody's here to reap.
  EXPECT_TRUE(eventually([&] {
    for (const pid_t pid : there)
      if (state(pid) != '\0' && state(pid) != 'Z') return false;
    return true;
  }));
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace pixmilter::worker
