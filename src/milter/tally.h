// Tally: what the front has done so far, counted under names that stay few whatever the mail.
//
// Senders choose nothing here: words and formats are ours, rule names the administrator's. A front that is
// started again begins at nothing, as Prometheus expects of counters.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/histogram.h"
#include "core/finding.h"

namespace pixmilter::milter {

// Safe from every thread.
class Tally {
 public:
  // word: of core::word(). rule: as core::rule_of() has it; empty: none was looked for. Sizes in bytes.
  void message(std::string_view word, std::string_view rule, std::uint64_t before, std::uint64_t after,
               std::chrono::nanoseconds took);
  void pictures(const std::vector<core::Finding>& findings);

  // (word, rule) and (source, format, what was done).
  using Messages = std::map<std::pair<std::string, std::string>, std::uint64_t>;
  using Pictures = std::map<std::tuple<std::string, std::string, std::string>, std::uint64_t>;
  Messages messages() const;
  Pictures pictures() const;
  std::uint64_t bytes_in() const { return in_; }
  std::uint64_t bytes_out() const { return out_; }
  const Histogram& time() const { return time_; }

 private:
  mutable std::mutex mutex_;
  Messages messages_;
  Pictures pictures_;
  std::atomic<std::uint64_t> in_{0};
  std::atomic<std::uint64_t> out_{0};
  Histogram time_;  // of messages, from the end of the headers or the message to our answer
};

}  // namespace pixmilter::milter
