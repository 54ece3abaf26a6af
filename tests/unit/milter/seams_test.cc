// The pool's condition variable as libmilter uses it: workers that wait, signals that must not be lost.
#include "milter/seams.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

extern "C" {
int pixmilter_seam_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int pixmilter_seam_pthread_cond_signal(pthread_cond_t*);
int pixmilter_seam_pthread_cond_timedwait(pthread_cond_t*, pthread_mutex_t*, const timespec*);
void* pixmilter_seam_malloc(std::size_t);
}

namespace pixmilter::milter {
namespace {

// What libmilter/worker.c does, without sessions: work is a number.
struct Pool {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  int ready = 0;    // sessions that wait for a worker
  int busy = 0;     // workers that have one, and keep it
  int waiting = 0;  // workers that wait
  int ended = 0;
  bool stop = false;
  bool hold = false;  // workers stay with what they have taken
};
Pool g_pool;

void take_one() {
  if (g_pool.ready == 0) return;
  --g_pool.ready;
  ++g_pool.busy;
}

// A worker that looks for a session, takes it for good, or waits for one.
void* worker(void*) {
  pthread_detach(pthread_self());
  pthread_mutex_lock(&g_pool.mutex);
  int had = g_pool.busy;
  take_one();
  while (!g_pool.stop && g_pool.busy == had) {
    timespec until{};
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    ++g_pool.waiting;
    pixmilter_seam_pthread_cond_timedwait(&g_pool.condition, &g_pool.mutex, &until);
    --g_pool.waiting;
    had = g_pool.busy;
    take_one();
  }
  while (g_pool.hold) {
    pthread_mutex_unlock(&g_pool.mutex);
    timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
    pthread_mutex_lock(&g_pool.mutex);
  }
  ++g_pool.ended;
  pthread_mutex_unlock(&g_pool.mutex);
  return nullptr;
}

void start() {
  pthread_t thread;
  ASSERT_EQ(pixmilter_seam_pthread_create(&thread, nullptr, worker, nullptr), 0);
}

template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 5000; ++i) {
    pthread_mutex_lock(&g_pool.mutex);
    const bool come = condition();
    pthread_mutex_unlock(&g_pool.mutex);
    if (come) return true;
    timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
  }
  return false;
}

TEST(Seams, NoSignalIsLostOnAWorkerThatIsOnItsWay) {
  for (int round = 1; round <= 20; ++round) {
    start();
    start();
    ASSERT_TRUE(eventually([] { return g_pool.waiting == 2; }));
    // Seven sessions become ready before either of the two can run.
    pthread_mutex_lock(&g_pool.mutex);
    const int busy = g_pool.busy;
    for (int i = 0; i < 7; ++i) {
      ++g_pool.ready;
      pixmilter_seam_pthread_cond_signal(&g_pool.condition);
    }
    pthread_mutex_unlock(&g_pool.mutex);
    ASSERT_TRUE(eventually([busy] { return g_pool.busy == busy + 7 && g_pool.ready == 0; })) << round;
    ASSERT_TRUE(eventually([round] { return g_pool.ended == 7 * round; })) << round;
  }
}

// Workers that do not come to rest must not keep the others' sessions from a worker for good.
TEST(Seams, ASignalThatWaitsIsGivenAfterAll) {
  const auto ready = [](long sessions) {
    pthread_mutex_lock(&g_pool.mutex);
    for (long i = 0; i < sessions; ++i) {
      ++g_pool.ready;
      pixmilter_seam_pthread_cond_signal(&g_pool.condition);
    }
    pthread_mutex_unlock(&g_pool.mutex);
  };
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  const int busy = g_pool.busy, ended = g_pool.ended;
  g_pool.hold = true;
  for (long i = 0; i < processors; ++i) start();
  ASSERT_TRUE(eventually([&] { return g_pool.waiting == processors; }));
  ready(processors);
  ASSERT_TRUE(eventually([&] { return g_pool.busy == busy + processors; }));
  // All of them are at work now, as many as there are processors.
  ready(5);
  EXPECT_TRUE(eventually([&] { return g_pool.busy == busy + processors + 5 && g_pool.ready == 0; }));
  pthread_mutex_lock(&g_pool.mutex);
  g_pool.hold = false;
  pthread_mutex_unlock(&g_pool.mutex);
  EXPECT_TRUE(eventually([&] { return g_pool.ended == ended + processors + 5; }));
}

TEST(Seams, WhatIsAllocatedIsFollowedByZeros) {
  for (const std::size_t size : {0u, 1u, 8u, 24u, 1000u}) {
    std::unique_ptr<char, decltype(&std::free)> block(static_cast<char*>(pixmilter_seam_malloc(size)),
                                                      std::free);
    ASSERT_TRUE(block);
    for (std::size_t i = size; i < size + sizeof(void*); ++i) EXPECT_EQ(block.get()[i], '\0');
  }
  EXPECT_EQ(pixmilter_seam_malloc(SIZE_MAX), nullptr);
}

TEST(Seams, HoldsUntilToldOtherwise) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  seams::hold_until_reply(std::move(held));
  EXPECT_FALSE(watch.expired());
  seams::no_reply();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace pixmilter::milter
