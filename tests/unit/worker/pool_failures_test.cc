// The pool against the real render program: what becomes of a message when workers and zygotes are killed,
// stopped or crash, or when its own time is up.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "pool_fixture.h"
#include "worker/pool.h"

namespace pixmilter::worker {
namespace {

class PoolFailuresTest : public PoolFixture {};

TEST_F(PoolFailuresTest, AKilledWorkerCostsItsPictureOnly) {
  options.workers = 1;
  options.kills_to_refuse = 1000;
  start();
  const Pixels small(8, 8);
  const Pixels large(6000, 6000);
  const std::vector<ImageJob> jobs = {large.job, small.job, small.job};
  std::vector<ImageResult> results;
  std::set<pid_t> before;
  // Again where chance has spoilt it: the killer was held off until the picture was done, or the zygote for
  // so long that the front gave up asking it how the worker had ended.
  for (int attempt = 0; attempt < 5; ++attempt) {
    ASSERT_TRUE(eventually([&] { return one(small.job).status == Status::ok && workers().size() == 1; }));
    before = workers();
    const pid_t worker = *before.begin();
    // With the answer out it still wipes its memory: killed now, it would not have the next job yet.
    ASSERT_TRUE(eventually([&] { return state(worker) == 'S'; }));
    std::atomic<bool> done{false};
    std::thread killer([&] {
      eventually([&] { return done || state(worker) == 'R'; });
      if (!done) ::kill(worker, SIGKILL);
    });
    results = pool->render(jobs, soon());
    done = true;
    killer.join();
    const bool late = results[0].status == Status::ok;
    if (!late && results[0].reason.find("it closed its connection") == std::string::npos) break;
  }
  EXPECT_EQ(results[0].status, Status::crashed);
  EXPECT_NE(results[0].reason.find("signal 9"), std::string::npos) << results[0].reason;
  EXPECT_EQ(results[1].status, Status::ok) << results[1].reason;
  EXPECT_EQ(results[2].status, Status::ok) << results[2].reason;
  EXPECT_TRUE(eventually([&] { return workers().size() == 1; }));
  EXPECT_NE(workers(), before);
}

TEST_F(PoolFailuresTest, AStoppedWorkerIsKilledWhenItsTimeIsUp) {
  options.timeout = Milliseconds(3'000);
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(flawless().status, Status::ok);
  const auto before = workers();
  for (const pid_t pid : before) ::kill(pid, SIGSTOP);
  const auto begun = Clock::now();
  EXPECT_EQ(one(small.job).status, Status::timeout);
  EXPECT_LT(Clock::now() - begun, Milliseconds(30'000)) << "the message has 60 s";
  EXPECT_EQ(flawless().status, Status::ok);
  EXPECT_TRUE(eventually([&] {
    for (const pid_t pid : workers())
      if (before.contains(pid)) return false;
    return true;
  }));
}

TEST_F(PoolFailuresTest, TheMessagesDeadlineEndsTheWait) {
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  for (const pid_t pid : workers()) ::kill(pid, SIGSTOP);
  const auto begun = Clock::now();
  const std::vector<ImageJob> jobs(10, small.job);
  for (const auto& result : pool->render(jobs, Deadline::after(Milliseconds(300))))
    EXPECT_TRUE(result.status == Status::timeout || result.status == Status::ok);
  EXPECT_LT(Clock::now() - begun, Milliseconds(30'000)) << "an image has 60 s";
  EXPECT_EQ(one(small.job, Deadline::after(Milliseconds(0))).status, Status::timeout);
}

TEST_F(PoolFailuresTest, AKilledZygoteIsReplaced) {
  options.ahead = true;
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  ASSERT_TRUE(all_ready());
  const auto before = zygotes();
  for (const pid_t pid : before) ::kill(pid, SIGKILL);
  EXPECT_TRUE(all_ready(2));
  EXPECT_NE(zygotes(), before);
  EXPECT_EQ(one(small.job).status, Status::ok);
}

TEST_F(PoolFailuresTest, AStoppedZygoteIsReplaced) {
  options.fork_timeout = Milliseconds(3'000);
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

TEST_F(PoolFailuresTest, AStoppedZygoteIsReplacedThoughNobodyNeedsIt) {
  options.ahead = true;
  options.heartbeat = Milliseconds(100);
  options.silence = Milliseconds(10'000);
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(one(small.job).status, Status::ok);
  ASSERT_TRUE(all_ready());
  const auto before = zygotes();
  // It says something now and then, and is left alone.
  std::this_thread::sleep_for(Milliseconds(500));
  ASSERT_EQ(zygotes(), before);
  for (const pid_t pid : before) ::kill(pid, SIGSTOP);
  EXPECT_TRUE(all_ready(2));
  EXPECT_NE(zygotes(), before);
  EXPECT_EQ(one(small.job).status, Status::ok);
}

TEST_F(PoolFailuresTest, TheZygoteIsReplacedAfterAFewCrashes) {
  options.workers = 1;
  options.crashes_per_zygote = 3;
  options.kills_to_refuse = 1000;
  options.timeout = Milliseconds(3'000);
  start();
  const Pixels small(8, 8);
  ASSERT_EQ(flawless().status, Status::ok);
  const auto before = zygotes();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(flawless().status, Status::ok);
    for (const pid_t pid : workers()) ::kill(pid, SIGSTOP);
    EXPECT_EQ(one(small.job).status, Status::timeout);
  }
  EXPECT_EQ(flawless().status, Status::ok);
  EXPECT_NE(zygotes(), before);
}

TEST_F(PoolFailuresTest, APictureThatKilledTwoWorkersIsRefusedForAWhile) {
  options.workers = 1;
  options.timeout = Milliseconds(3'000);
  // The first kill is remembered for so long: a fresh worker has to be there for the second one before that.
  options.refusal = Milliseconds(20'000);
  start();
  const Pixels bad(8, 8, 2);
  Deadline while_refused;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(flawless().status, Status::ok);
    for (const pid_t pid : workers()) ::kill(pid, SIGSTOP);
    while_refused = Deadline::after(options.refusal);
    ASSERT_EQ(one(bad.job).status, Status::timeout);
  }
  EXPECT_EQ(one(bad.job).status, Status::refused);
  EXPECT_EQ(flawless().status, Status::ok);
  EXPECT_TRUE(eventually([&] { return one(bad.job).status == Status::ok; }));
  EXPECT_TRUE(while_refused.passed());
}

}  // namespace
}  // namespace pixmilter::worker
