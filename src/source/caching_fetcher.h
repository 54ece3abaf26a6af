// CachingFetcher: a Fetcher that asks for a URL again only where what it has may be out of date.
//
// What a server says about that counts (freshness.h). What is fresh is used without a word; what is stale is
// used only after its server has confirmed it, never because nobody answers: a mail cannot be taken back.
// What several messages want at the same moment is asked for once, where it is such that they may share it.
//
// One belongs to one configuration, so a reload forgets what it had: the next one may send other header
// fields, trust other authorities, reach other addresses. So does another fetch process, which has read those
// files anew. What came by way of a redirect is not kept, because how long the redirect holds is not known.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "source/fetch_counters.h"
#include "source/fetcher.h"
#include "source/memory_cache.h"
#include "source/single_flight.h"

namespace pixmilter::source {

class CachingFetcher final : public Fetcher {
 public:
  // limit: bytes of all that is kept, everything counted. max_total: bytes of all responses for one message.
  // The counters outlive it.
  CachingFetcher(std::unique_ptr<Fetcher> fetcher, std::uint64_t limit, std::uint64_t max_total,
                 FetchCounters& counters)
      : fetcher_(std::move(fetcher)),
        max_total_(max_total),
        counters_(counters),
        memory_(limit, counters.memory) {}

  Result<std::string> allowed(std::string_view url) const override { return fetcher_->allowed(url); }
  // The requests have no validators of their own.
  std::vector<FetchResponse> fetch(std::span<const FetchRequest> requests, Deadline deadline) override;

 private:
  class Round;
  // What others may have who wait for it; nothing: they ask for themselves.
  using Landing = std::shared_ptr<const FetchResponse>;

  const std::unique_ptr<Fetcher> fetcher_;
  const std::uint64_t max_total_;
  FetchCounters& counters_;
  MemoryCache memory_;
  SingleFlight<Landing> flights_;
  std::atomic<std::uint32_t> process_{0};  // the latest that has answered
};

}  // namespace pixmilter::source
