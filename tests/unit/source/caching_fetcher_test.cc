#include "source/caching_fetcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pixmilter::source {
namespace {

// A web: what each URL answers, and what it was asked.
class Web : public Fetcher {
 public:
  enum class Failure { none, timeout, memory };

  Result<std::string> allowed(std::string_view url) const override { return std::string(url); }
  std::vector<FetchResponse> fetch(std::span<const FetchRequest> requests, Deadline deadline) override {
    std::unique_lock lock(mutex_);
    ++calls;
    changed_.notify_all();
    while (held && !deadline.passed()) changed_.wait_for(lock, deadline.left());
    const Failure failure = std::exchange(first_fails, Failure::none);
    if (failure == Failure::memory) throw std::bad_alloc();
    std::vector<FetchResponse> responses;
    for (const FetchRequest& request : requests) {
      asked.push_back(request);
      FetchResponse response = pages[request.url];
      if (response.status == FetchStatus::ok &&
          ((!request.if_none_match.empty() && request.if_none_match == response.freshness.etag) ||
           (!request.if_modified_since.empty() &&
            request.if_modified_since == response.freshness.last_modified))) {
        response.status = FetchStatus::not_modified;
        response.bytes.clear();
        if (!confirms.empty()) response.freshness.etag = confirms;
      }
      if (failure == Failure::timeout) response.status = FetchStatus::timeout;
      response.process = process;
      responses.push_back(response);
    }
    return responses;
  }
  FetchResponse& page(const std::string& url, const std::string& bytes, const std::string& cache_control,
                      const std::string& etag = {}) {
    FetchResponse response;
    response.status = FetchStatus::ok;
    response.bytes = bytes;
    response.freshness.cache_control = cache_control;
    response.freshness.etag = etag;
    const std::lock_guard lock(mutex_);
    return pages[url] = response;
  }
  void go_on() {
    const std::lock_guard lock(mutex_);
    held = false;
    changed_.notify_all();
  }
  void wait_calls(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls >= count; });
  }

  std::map<std::string, FetchResponse> pages;
  std::vector<FetchRequest> asked;
  int calls = 0;
  bool held = false;
  Failure first_fails = Failure::none;
  std::uint32_t process = 1;
  std::string confirms;  // the ETag of confirmations

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class CachingFetcherTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kLimit = 1 << 20;
  static constexpr std::uint64_t kMaxTotal = 1 << 19;

  static std::string text(const FetchResponse& response) {
    return response.status == FetchStatus::ok ? response.bytes : "failed: " + response.reason;
  }
  std::string get(const std::string& url, Deadline deadline = Deadline()) {
    const FetchRequest request{url, {}, {}};
    return text(fetcher_->fetch({&request, 1}, deadline)[0]);
  }
  std::vector<FetchResponse> get_all(const std::vector<std::string>& urls) {
    std::vector<FetchRequest> requests;
    for (const std::string& url : urls) requests.push_back({url, {}, {}});
    return fetcher_->fetch(requests, Deadline());
  }
  void wait_joins(std::uint64_t count) const {
    const Deadline deadline = Deadline::after(Milliseconds(20'000));
    while (counters_.joins < count && !deadline.passed()) std::this_thread::sleep_for(Milliseconds(1));
    EXPECT_EQ(counters_.joins, count);
  }

  FetchCounters counters_;
  Web& web_ = *new Web;
  std::unique_ptr<CachingFetcher> fetcher_ =
      std::make_unique<CachingFetcher>(std::unique_ptr<Fetcher>(&web_), kLimit, kMaxTotal, counters_);
};

TEST_F(CachingFetcherTest, WhatIsFreshIsNotAskedForAgain) {
  for (const char* control : {"max-age=600", "s-maxage=600", "s-maxage=600, max-age=0"}) {
    web_.page(control, "one", control);
    EXPECT_EQ(get(control), "one");
    web_.page(control, "two", control);
    EXPECT_EQ(get(control), "one");
  }
  EXPECT_EQ(web_.asked.size(), 3u);
  EXPECT_EQ(counters_.hits, 3u);
  EXPECT_EQ(counters_.misses, 3u);
  EXPECT_EQ(counters_.memory.entries, 3u);
}

TEST_F(CachingFetcherTest, WhatForbidsItOrDoesNotSayIsAskedForEachTime) {
  for (const char* control : {"", "no-store, max-age=600", "max-age=0", "private, max-age=600", "no-cache"}) {
    web_.page(control, "one", control);
    EXPECT_EQ(get(control), "one");
    web_.page(control, "two", control);
    EXPECT_EQ(get(control), "two") << control;
    EXPECT_EQ(web_.asked.back().if_none_match + web_.asked.back().if_modified_since, "");
  }
  EXPECT_EQ(counters_.hits, 0u);
}

TEST_F(CachingFetcherTest, WhatIsStaleIsConfirmed) {
  web_.page("a", "one", "no-cache", "\"1\"");
  EXPECT_EQ(get("a"), "one");
  EXPECT_EQ(get("a"), "one");
  EXPECT_EQ(web_.asked.back().if_none_match, "\"1\"");
  EXPECT_EQ(counters_.revalidated, 1u);
  web_.page("a", "two", "max-age=600", "\"2\"");
  EXPECT_EQ(get("a"), "two");
  EXPECT_EQ(get("a"), "two");
  EXPECT_EQ(web_.asked.size(), 3u);
  web_.page("b", "one", "").freshness.last_modified = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(get("b"), "one");
  EXPECT_EQ(get("b"), "one");
  EXPECT_EQ(web_.asked.back().if_modified_since, "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(counters_.revalidated, 2u);
}

TEST_F(CachingFetcherTest, AConfirmationRenewsOrForbids) {
  web_.page("a", "one", "no-cache", "\"1\"");
  get("a");
  web_.pages["a"].freshness.cache_control = "max-age=600";
  EXPECT_EQ(get("a"), "one");
  EXPECT_EQ(get("a"), "one");
  EXPECT_EQ(web_.asked.size(), 2u);
  web_.page("b", "one", "no-cache", "\"1\"");
  get("b");
  web_.pages["b"].freshness.cache_control = "no-store";
  EXPECT_EQ(get("b"), "one");
  EXPECT_EQ(web_.asked.back().if_none_match, "\"1\"");
  EXPECT_EQ(get("b"), "one");
  EXPECT_EQ(web_.asked.back().if_none_match, "");
}

// A server that confirms another thing than was asked for is asked anew, without conditions.
TEST_F(CachingFetcherTest, AWrongConfirmationIsNone) {
  web_.page("a", "one", "no-cache", "\"1\"");
  get("a");
  web_.confirms = "W/\"1\"";
  EXPECT_EQ(get("a"), "one");
  EXPECT_EQ(counters_.revalidated, 1u);
  web_.page("a", "two", "no-cache", "W/\"1\"");
  web_.confirms = "\"9\"";
  EXPECT_EQ(get("a"), "two");
  EXPECT_EQ(web_.asked.back().if_none_match, "");
  EXPECT_EQ(counters_.revalidated, 1u);
}

TEST_F(CachingFetcherTest, FailuresAndRedirectsAreNotKept) {
  web_.page("a", "one", "max-age=600").redirected = true;
  get("a");
  get("a");
  EXPECT_EQ(web_.asked.size(), 2u);
  web_.pages["b"].status = FetchStatus::missing;
  web_.pages["b"].freshness.cache_control = "max-age=600";
  get("b");
  web_.page("b", "there now", "max-age=600");
  EXPECT_EQ(get("b"), "there now");
}

// What a token has opened is not for others unless its server says so.
TEST_F(CachingFetcherTest, PersonalResponses) {
  web_.page("a", "one", "max-age=600").personal = true;
  web_.page("b", "one", "max-age=600, public").personal = true;
  for (int i = 0; i < 2; ++i) get_all({"a", "b"});
  EXPECT_EQ(web_.asked.size(), 3u);
  EXPECT_EQ(web_.asked.back().url, "a");
}

// A server that is down for a moment does not cost what it could confirm afterwards; nor is that used
// meanwhile.
TEST_F(CachingFetcherTest, AFailureKeepsTheValidatorAndNothingStaleIsUsed) {
  web_.page("a", "one", "no-cache, stale-if-error=600", "\"1\"");
  get("a");
  const FetchResponse good = web_.pages["a"];
  web_.pages["a"] = {};
  web_.pages["a"].reason = "no connection";
  for (const FetchStatus status : {FetchStatus::internal, FetchStatus::missing, FetchStatus::timeout}) {
    web_.pages["a"].status = status;
    EXPECT_EQ(get("a"), "failed: no connection");
  }
  web_.pages["a"] = good;
  EXPECT_EQ(get("a"), "one");
  EXPECT_EQ(web_.asked.back().if_none_match, "\"1\"");
}

// It may have read another file of tokens.
TEST_F(CachingFetcherTest, AnotherProcessHasNothingOfTheOneBefore) {
  web_.page("a", "one", "max-age=600", "\"1\"");
  get("a");
  web_.process = 2;
  EXPECT_EQ(get("a"), "one");
  EXPECT_EQ(web_.asked.size(), 1u);  // nobody knows yet
  get("b");
  web_.page("a", "two", "max-age=600", "\"1\"");
  EXPECT_EQ(get("a"), "two");
  EXPECT_EQ(web_.asked.back().if_none_match, "");
}

TEST_F(CachingFetcherTest, NeverMoreThanItsShare) {
  for (int i = 0; i < 100; ++i) {
    const std::string url = "page " + std::to_string(i);
    web_.page(url, std::string(50'000, 'x'), "max-age=600");
    get(url);
    EXPECT_LE(counters_.memory.bytes, kLimit);
  }
  EXPECT_GT(counters_.memory.entries, 10u);
  EXPECT_GT(counters_.memory.evictions, 70u);
  web_.page("large", std::string(kMaxTotal, 'x'), "max-age=600");
  EXPECT_EQ(get("large").size(), kMaxTotal);
  fetcher_.reset();
  EXPECT_EQ(counters_.memory.entries, 0u);
  EXPECT_EQ(counters_.memory.bytes, 0u);
}

// What is kept counts like what is fetched.
TEST_F(CachingFetcherTest, OneMessageGetsNoMoreThanMaxTotal) {
  web_.page("a", std::string(300'000, 'a'), "max-age=600");
  web_.page("b", std::string(300'000, 'b'), "max-age=600");
  web_.page("c", std::string(200'000, 'c'), "no-store");
  EXPECT_EQ(get("a").size() + get("b").size(), 600'000u);
  const std::vector<FetchResponse> responses = get_all({"a", "b", "c"});
  EXPECT_EQ(responses[0].bytes.size(), 300'000u);
  EXPECT_EQ(text(responses[1]), "failed: more than [fetch] max_total = 524288");
  EXPECT_EQ(responses[1].status, FetchStatus::limit);
  EXPECT_EQ(responses[2].bytes.size(), 200'000u);
}

TEST_F(CachingFetcherTest, ManyAskOneFetches) {
  web_.page("a", "one", "max-age=600");
  web_.pages["b"].status = FetchStatus::missing;
  web_.pages["b"].reason = "the server answers 404";
  web_.held = true;
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&] {
      const std::vector<FetchResponse> responses = get_all({"a", "b"});
      good += text(responses[0]) == "one" && text(responses[1]) == "failed: the server answers 404";
    });
  wait_joins(10);
  web_.go_on();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 6);
  EXPECT_EQ(web_.asked.size(), 2u);
}

// What is not for others is fetched by each: the first time after waiting, from then on at once.
TEST_F(CachingFetcherTest, WhatMayNotBeSharedIsNotWaitedForTwice) {
  web_.page("a", "one", "no-store");
  web_.held = true;
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 5; ++i) threads.emplace_back([&] { good += get("a") == "one"; });
  wait_joins(4);
  web_.go_on();
  for (auto& thread : threads) thread.join();
  threads.clear();
  EXPECT_EQ(web_.asked.size(), 5u);
  web_.held = true;
  web_.calls = 0;
  for (int i = 0; i < 5; ++i) threads.emplace_back([&] { good += get("a") == "one"; });
  web_.wait_calls(5);  // all at once
  web_.go_on();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 10);
  EXPECT_EQ(counters_.joins, 4u);
}

// How one message's request ended says nothing about another's.
TEST_F(CachingFetcherTest, WhoeverFailedIsNotFollowed) {
  for (const bool throws : {false, true}) {
    SCOPED_TRACE(throws);
    const std::string url = throws ? "thrown" : "late";
    const std::uint64_t joins = counters_.joins;
    web_.page(url, "one", "max-age=600");
    web_.held = true;
    web_.calls = 0;
    web_.first_fails = throws ? Web::Failure::memory : Web::Failure::timeout;
    std::atomic<int> failed{0}, good{0};
    const auto ask = [&] {
      try {
        ++(get(url) == "one" ? good : failed);
      } catch (const std::bad_alloc&) {
        ++failed;
      }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(ask);
    wait_joins(joins + 3);
    web_.go_on();
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(failed, 1);
    EXPECT_EQ(good, 3);
  }
}

TEST_F(CachingFetcherTest, WhoeverWaitsWaitsUntilHisOwnDeadline) {
  web_.page("a", "one", "max-age=600");
  web_.held = true;
  std::thread first([&] { EXPECT_EQ(get("a"), "one"); });
  web_.wait_calls(1);
  EXPECT_NE(get("a", Deadline::after(Milliseconds(30))).find("not in time"), std::string::npos);
  web_.go_on();
  first.join();
}

// Each of several messages leads what another waits for.
TEST_F(CachingFetcherTest, NobodyWaitsInACircle) {
  for (int round = 0; round < 100; ++round) {
    std::vector<std::string> urls;
    for (const char* name : {"a", "b", "c", "d"}) {
      urls.push_back(name + std::to_string(round));
      web_.page(urls.back(), name, "max-age=600");
    }
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int i = 0; i < 4; ++i) {
      std::rotate(urls.begin(), urls.begin() + 1, urls.end());
      threads.emplace_back([&, urls] {
        for (const FetchResponse& response : get_all(urls)) good += response.status == FetchStatus::ok;
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(good, 16);
  }
  EXPECT_EQ(web_.asked.size(), 400u);
}

}  // namespace
}  // namespace pixmilter::source
