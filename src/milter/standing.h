// Standing: what only the master knows and the front tells: which configuration is in force, who was started
// again.
//
// It lies in memory that both have: the master writes, the front reads. The master never reads it, so a front
// that was taken over gains nothing by writing there.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/result.h"

namespace pixmilter::milter {

struct Standing {
  std::atomic<std::uint64_t> generation{1};  // configurations that came into force
  std::atomic<std::uint64_t> refused{0};     // reloads that brought none
  std::atomic<bool> last_reload_ok{true};
  std::atomic<std::int64_t> in_force_since;  // seconds since 1970
  std::atomic<std::uint64_t> front_restarts{0};
  std::atomic<std::int64_t> started;  // the master, seconds since 1970

  // Shared with every process that is forked from here on; lives as long as they do.
  static Result<Standing*> make();
};

}  // namespace pixmilter::milter
