// FetchCounters: what became of the URLs that messages want, for the metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/histogram.h"
#include "source/cache_counters.h"
#include "source/fetcher.h"

namespace pixmilter::source {

inline constexpr std::size_t kFetchStatuses = static_cast<std::size_t>(FetchStatus::internal) + 1;

// Written by every thread without a lock.
struct FetchCounters {
  MemoryCounters memory;                      // of what is kept
  std::atomic<std::uint64_t> hits{0};         // URLs that needed no request
  std::atomic<std::uint64_t> revalidated{0};  // whose server confirmed what was kept
  std::atomic<std::uint64_t> misses{0};       // that were asked for, whatever came of it
  std::atomic<std::uint64_t> joins{0};        // that waited for another message's request

  // Of what was asked for:
  std::array<std::atomic<std::uint64_t>, kFetchStatuses> responses{};  // by FetchStatus
  std::atomic<std::uint64_t> bytes{0};                                 // of pictures that came
  Histogram time;  // that asking for all URLs of a message took
};

// A fetcher that counts what another one does. The counters outlive it.
class CountedFetcher final : public Fetcher {
 public:
  CountedFetcher(std::unique_ptr<Fetcher> fetcher, FetchCounters& counters)
      : fetcher_(std::move(fetcher)), counters_(counters) {}

  Result<std::string> allowed(std::string_view url) const override { return fetcher_->allowed(url); }
  std::vector<FetchResponse> fetch(std::span<const FetchRequest> requests, Deadline deadline) override {
    const auto start = Clock::now();
    std::vector<FetchResponse> responses = fetcher_->fetch(requests, deadline);
    counters_.time.add(Clock::now() - start);
    for (const FetchResponse& response : responses) {
      ++counters_.responses[static_cast<std::size_t>(response.status)];
      counters_.bytes += response.bytes.size();
    }
    return responses;
  }

 private:
  const std::unique_ptr<Fetcher> fetcher_;
  FetchCounters& counters_;
};

}  // namespace pixmilter::source
