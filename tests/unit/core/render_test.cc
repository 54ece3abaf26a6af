// The render pass with the cache: one render for what many ask for, and what the others get when it fails.
#include "core/render.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/outcome.h"
#include "core/pipeline.h"
#include "source/cache.h"

namespace pixmilter::core {
namespace {

using image::Status;
using namespace std::string_literals;

const std::string kPng = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0:~\x9bU"s +
                         "\0\0\0\1IDATxcrc!\0\0\0\0IENDcrc!"s;

// Workers that take their time, say when they have begun, and answer as they are told.
class SlowRenderer : public worker::Renderer {
 public:
  std::vector<image::ImageResult> render(std::span<const image::ImageJob> jobs, Deadline deadline) override {
    std::vector<image::ImageResult> results;
    std::unique_lock lock(mutex_);
    const int call = calls_++;
    rendered_ += jobs.size();
    changed_.notify_all();
    while (held_ && !deadline.passed()) changed_.wait_for(lock, deadline.left());
    if (std::exchange(no_memory, false)) throw std::bad_alloc();
    const Status status = held_                                  ? Status::timeout
                          : call < static_cast<int>(plan.size()) ? plan[static_cast<std::size_t>(call)]
                                                                 : Status::ok;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      image::ImageResult result;
      result.status = status;
      result.format = image::Format::png;
      result.width = result.height = 1;
      if (status == Status::ok)
        result.bytes = kPng;
      else
        result.reason = "call " + std::to_string(call);
      results.push_back(std::move(result));
    }
    return results;
  }
  void hold() { set(true); }
  void go_on() { set(false); }
  void wait_begun(int calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls_ >= calls; });
  }
  std::size_t rendered() {
    const std::lock_guard lock(mutex_);
    return rendered_;
  }
  bool no_memory = false;    // for the next call
  std::vector<Status> plan;  // of the first calls; later ones are ok

 private:
  void set(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  int calls_ = 0;
  std::size_t rendered_ = 0;
};

class RenderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { mail::initialise_mime(); }

  // A message whose pictures are 1x1 pixels of these values.
  static std::string with_pixels(const std::string& values, const std::string& eol = "\r\n") {
    std::string text =
        "From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n";
    for (const char value : values)
      text += "--b\nContent-Type: image/x-raw-pixels; width=1; height=1; bands=1; format=uchar\n\n"s + value +
              "\n";
    text += "--b--\n";
    if (eol == "\n") return text;
    std::string out;
    for (const char c : text) out += c == '\n' ? eol : std::string(1, c);
    return out;
  }
  std::string run(const std::string& text, Deadline deadline = Deadline(), bool cached = true) {
    Services services(renderer_);
    services.cache = cached ? cache_.get() : nullptr;
    const Pipeline pipeline(settings_, services);
    mail::Envelope envelope;
    envelope.local = true;
    envelope.sender = "a@example.org";
    const mail::Message message(text);
    const Outcome outcome = pipeline.run(message, envelope, deadline);
    return outcome.summary + "\n" + (outcome.notes.empty() ? "" : outcome.notes.front()) + "\n" +
           carried_out(message, outcome);
  }
  std::uint64_t joins() const { return cache_->counters().joins; }
  // Until so many messages wait for another's render.
  void wait_joins(std::uint64_t count) const {
    const Deadline deadline = Deadline::after(Milliseconds(20'000));
    while (joins() < count && !deadline.passed()) std::this_thread::sleep_for(Milliseconds(1));
    EXPECT_EQ(joins(), count);
  }

  // each(i) for so many messages with one picture at the same moment: one has it rendered, the others wait.
  template <class Each>
  void at_once(std::size_t count, SlowRenderer& renderer, Each each) {
    renderer.hold();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back(each, i);
    wait_joins(count - 1);
    renderer.go_on();
    for (auto& thread : threads) thread.join();
  }

  config::Settings settings_;
  SlowRenderer renderer_;
  std::shared_ptr<source::Cache> cache_ = source::make_cache(settings_.cache);
};

TEST_F(RenderTest, TheSameBytesWithTheCacheAndWithout) {
  for (const std::string eol : {"\r\n", "\n"}) {
    for (const std::string values : {"A", "AB", "AAB"}) {
      const std::string text = with_pixels(values, eol);
      const std::string without = run(text, Deadline(), false);
      EXPECT_NE(without.find("rewritten: "), std::string::npos);
      EXPECT_EQ(run(text), without);
      EXPECT_EQ(run(text), without);
    }
  }
  EXPECT_EQ(cache_->counters().misses, 2u);
  EXPECT_EQ(cache_->counters().entries, 2u);
}

TEST_F(RenderTest, OtherSettingsAreAnotherPicture) {
  run(with_pixels("A"));
  settings_.render.max_pixels = 10;
  run(with_pixels("A"));
  settings_.render.loaders = {"png"};
  run(with_pixels("A"));
  settings_.render.workers = 3;
  run(with_pixels("A"));
  EXPECT_EQ(renderer_.rendered(), 3u);
}

TEST_F(RenderTest, ManyAskOneRenders) {
  std::vector<std::string> out(12);
  at_once(out.size(), renderer_, [&](std::size_t i) { out[i] = run(with_pixels("A")); });
  EXPECT_EQ(renderer_.rendered(), 1u);
  for (const std::string& text : out) EXPECT_EQ(text, out[0]);
  EXPECT_NE(out[0].find("rewritten: 1 converted"), std::string::npos);
}

TEST_F(RenderTest, WhoeverWaitsWaitsUntilHisOwnDeadline) {
  renderer_.hold();
  std::thread leader([&] { run(with_pixels("A")); });
  renderer_.wait_begun(1);
  const Clock::time_point start = Clock::now();
  const std::string out = run(with_pixels("A"), Deadline::after(Milliseconds(50)));
  // But for what is kept to put the message together.
  EXPECT_GE(Clock::now() - start, Milliseconds(40));
  EXPECT_NE(out.find("not ready in time"), std::string::npos) << out;
  renderer_.go_on();
  leader.join();
  EXPECT_EQ(renderer_.rendered(), 1u);
}

// A worker that died under the leader, or his deadline, says nothing about the picture.
TEST_F(RenderTest, WhatWasNotThePicturesFaultIsTriedAgain) {
  for (const Status status : {Status::timeout, Status::crashed, Status::violated}) {
    SCOPED_TRACE(std::string(image::name(status)));
    cache_ = source::make_cache(settings_.cache);
    SlowRenderer fresh;
    Services services(fresh);
    services.cache = cache_.get();
    fresh.plan = {status, Status::ok};
    const Pipeline pipeline(settings_, services);
    mail::Envelope envelope;
    envelope.local = true;
    envelope.sender = "a@example.org";
    std::atomic<int> converted{0}, left{0};
    at_once(6, fresh, [&](std::size_t) {
      const Outcome outcome = pipeline.run(mail::Message(with_pixels("A")), envelope, Deadline());
      ++(outcome.changed() ? converted : left);
    });
    EXPECT_EQ(converted, 5);
    EXPECT_EQ(left, 1);
    EXPECT_EQ(fresh.rendered(), 2u);
  }
}

// Nor does it keep anybody waiting when there is no memory left for the leader's message.
TEST_F(RenderTest, ALeaderWhoIsLostIsNotWaitedFor) {
  renderer_.no_memory = true;
  std::atomic<int> converted{0}, lost{0};
  at_once(6, renderer_, [&](std::size_t) {
    const std::string out = run(with_pixels("A"));
    converted += out.find("rewritten: 1 converted") != std::string::npos;
    lost += out.find("internal error") != std::string::npos;
  });
  EXPECT_EQ(converted, 5);
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(renderer_.rendered(), 2u);
}

// A message that has less time than the leader's goes on without the picture, and the leader's with it.
TEST_F(RenderTest, AShorterDeadlineCostsItsOwnMessageAlone) {
  renderer_.hold();
  std::string patient;
  std::thread leader([&] { patient = run(with_pixels("A"), Deadline::after(Milliseconds(600'000))); });
  renderer_.wait_begun(1);
  const std::string hurried = run(with_pixels("A"), Deadline::after(Milliseconds(20)));
  EXPECT_EQ(hurried.find("converted"), std::string::npos) << hurried;
  EXPECT_EQ(renderer_.rendered(), 1u);
  renderer_.go_on();
  leader.join();
  EXPECT_NE(patient.find("rewritten: 1 converted"), std::string::npos) << patient;
  EXPECT_NE(run(with_pixels("A")).find("rewritten: 1 converted"), std::string::npos);
  EXPECT_EQ(renderer_.rendered(), 1u);
}

TEST_F(RenderTest, WhatIsThePicturesFaultIsNotTriedAgain) {
  for (const Status status : {Status::refused, Status::limit}) {
    SCOPED_TRACE(std::string(image::name(status)));
    cache_ = source::make_cache(settings_.cache);
    renderer_.plan.assign(100, status);
    renderer_.hold();
    const std::size_t before = renderer_.rendered();
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i)
      threads.emplace_back([&] { EXPECT_NE(run(with_pixels("A")).find("call "), std::string::npos); });
    wait_joins(5);
    renderer_.go_on();
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(renderer_.rendered(), before + 1);
    // It is no result to keep.
    EXPECT_EQ(cache_->counters().entries, 0u);
    run(with_pixels("A"));
    EXPECT_EQ(renderer_.rendered(), before + 2);
  }
}

// Each of two messages leads what the other waits for.
TEST_F(RenderTest, NobodyWaitsInACircle) {
  for (int round = 0; round < 200; ++round) {
    cache_ = source::make_cache(settings_.cache);
    std::vector<std::thread> threads;
    for (const std::string values : {"ABCD", "DCBA", "BADC", "CDAB"})
      threads.emplace_back([&, values] {
        EXPECT_NE(run(with_pixels(values), Deadline::after(Milliseconds(20'000))).find("4 converted"),
                  std::string::npos);
      });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(cache_->counters().entries, 4u);
  }
  EXPECT_EQ(renderer_.rendered(), 4u * 200u);
}

}  // namespace
}  // namespace pixmilter::core
