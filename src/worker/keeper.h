// The keeper: one thread that holds the zygote, has workers made, and puts them in the stock.
//
// It alone talks to zygotes, so calls never wait for one. Failures to start are tried again at once at
// first, then ever more rarely; meanwhile calls are told why there is no worker.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "worker/launcher.h"
#include "worker/options.h"
#include "worker/statistics.h"
#include "worker/stock.h"

namespace pixmilter::worker {

class Keeper {
 public:
  // Starts nothing yet. The stock and the statistics outlive the keeper.
  Keeper(Stock& stock, const PoolOptions& options, std::unique_ptr<ZygoteSource> source,
         Statistics& statistics);
  // Ends the thread, the zygote and the workers that it still holds.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Makes it look at the stock again; the first time, starts it. From any thread.
  void wake();

  std::uint64_t workers_started() const { return workers_started_; }
  std::uint64_t zygotes_started() const { return zygotes_started_; }

 private:
  // Failures in a row, and when to try again.
  struct Patience {
    std::uint32_t failures = 0;
    Deadline next = Deadline::after(Milliseconds(0));
    std::string reason;
  };
  // A worker that was asked for and is not ready.
  struct Starting {
    WorkerPtr worker;  // without a socket until the zygote has answered
    Deadline answer;   // by then, unless the zygote itself is starting
    Deadline ready;    // by then
  };

  void run();
  void refill();
  std::size_t target_of(wire::Purpose purpose) const;
  std::size_t lacking(wire::Purpose purpose, const StockView& view) const;
  std::size_t starting(wire::Purpose purpose) const;
  bool have_zygote();
  void request(wire::Purpose purpose);
  void drop_zygote(const std::string& why, bool kill);
  void failed(Patience& patience, const std::string& reason, bool at_once);
  void start_failed(std::uint64_t number, const std::string& reason, bool at_once);
  void watch();
  void hear_zygote();
  void hear_starting(std::uint64_t number);
  void hear_diagnostics();
  void give_up_slow_starts();
  void see_off();
  void beat();
  void heard();
  Deadline next_due(const Starting& one) const;
  void complain(const std::string& text);

  Stock& stock_;
  const PoolOptions options_;
  std::unique_ptr<ZygoteSource> source_;
  Statistics& statistics_;
  UniqueFd wake_;
  std::once_flag once_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> workers_started_{0};
  std::atomic<std::uint64_t> zygotes_started_{0};

  // From here on the thread's own.
  std::shared_ptr<Zygote> zygote_;
  // A zygote that was replaced ends by itself when its last worker has; one that is stopped does not.
  struct Leaving {
    std::weak_ptr<Zygote> zygote;
    UniqueFd pidfd;
    std::optional<Deadline> until;
  };
  std::vector<Leaving> leaving_;
  bool zygote_proved_ = false;      // it has made a worker that got ready
  Deadline ask_;                    // whether the zygote is there, unless it says something before
  std::optional<Deadline> answer_;  // by then, where it was asked
  std::uint64_t pings_ = 0;
  std::vector<Starting> starting_;
  std::uint64_t next_number_ = 1;
  Patience zygote_patience_;
  std::array<Patience, wire::kPurposes> patience_;
  std::array<bool, wire::kPurposes> met_{};  // somebody has wanted one
  std::set<std::string> said_;               // reports that are said once
  std::string last_complaint_;
  Deadline complain_again_ = Deadline::after(Milliseconds(0));
  std::uint32_t lines_left_ = 0;  // of diagnostics, until lines_again_
  Deadline lines_again_ = Deadline::after(Milliseconds(0));

  std::thread thread_;
};

}  // namespace pixmilter::worker
