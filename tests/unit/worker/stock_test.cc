// The stock's counting: a place that a worker took is free again, however the worker goes.
#include "worker/stock.h"

#include <gtest/gtest.h>

#include <signal.h>

#include <memory>
#include <string>
#include <thread>

namespace pixmilter::worker {
namespace {

constexpr PurposeCounts kOnePicture = {1, 0};

class StockTest : public testing::Test {
 protected:
  void add(std::uint64_t number) {
    auto worker = std::make_unique<WorkerProcess>();
    worker->number = number;
    worker->zygote = zygote;
    stock.add(std::move(worker));
  }
  std::shared_ptr<Zygote> zygote = std::make_shared<Zygote>();
  Stock stock{1, 10, [] {}};
};

TEST_F(StockTest, OnlySoManyAreAtWork) {
  add(1);
  add(2);
  Waiter first;
  Waiter second;
  auto got = stock.ask(first, kOnePicture);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(stock.ask(second, kOnePicture).empty());
  stock.give_back(std::move(got.front()));
  EXPECT_EQ(stock.ask(second, kOnePicture).size(), 1U);
  stock.leave(first);
  stock.leave(second);
}

// An exception between the two, for want of memory.
TEST_F(StockTest, OneThatIsNeitherGivenBackNorDiscardedLeavesItsPlace) {
  add(1);
  add(2);
  Waiter waiter;
  auto got = stock.ask(waiter, kOnePicture);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(stock.view().busy, 1U);
  got.clear();
  EXPECT_EQ(stock.view().busy, 0U);
  EXPECT_EQ(stock.view().lasting[0], 1U);
  EXPECT_EQ(stock.ask(waiter, kOnePicture).size(), 1U);
  stock.leave(waiter);
}

TEST_F(StockTest, OneThatWasGrantedAndNotTakenComesBack) {
  Waiter waiter;
  EXPECT_TRUE(stock.ask(waiter, kOnePicture).empty());
  add(1);
  EXPECT_EQ(stock.view().busy, 1U);
  stock.leave(waiter);
  EXPECT_EQ(stock.view().busy, 0U);
  EXPECT_EQ(stock.view().idle[0], 1U);
}

// A machine with more work than cores lets a zygote wait, and then the reason of a death came as "it closed
// its connection".
TEST_F(StockTest, HowAWorkerDiedIsWaitedForEvenWhereItsZygoteIsLate) {
  Waiter waiter;
  std::string how;
  // Again where the thread below was held off for longer than anybody waits.
  for (std::uint64_t number = 1; number <= 5 && !how.starts_with("signal"); ++number) {
    add(number);
    auto got = stock.ask(waiter, kOnePicture);
    ASSERT_EQ(got.size(), 1U);
    std::thread late([&] {
      std::this_thread::sleep_for(Milliseconds(400));
      stock.note_end(*zygote, {number, SIGSYS, 0});
    });
    how = stock.discard(std::move(got.front()), true, Deadline::after(Milliseconds(60'000)));
    late.join();
  }
  EXPECT_TRUE(how.starts_with("signal 31")) << how;
  stock.leave(waiter);
}

TEST_F(StockTest, HowAWorkerDiedIsNotWaitedForLongerThanAsked) {
  add(1);
  Waiter waiter;
  auto got = stock.ask(waiter, kOnePicture);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(stock.discard(std::move(got.front()), true, Deadline::after(Milliseconds(0))),
            "it closed its connection");
  stock.leave(waiter);
}

}  // namespace
}  // namespace pixmilter::worker
