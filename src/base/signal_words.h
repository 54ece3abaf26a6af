// The number of a signal in words, for the log.
#pragma once

#include <cstring>
#include <string>

namespace pixmilter {

// "signal 9 (SIGKILL)"; "signal 40" for one without a name.
inline std::string signal_words(int number) {
  const std::string text = "signal " + std::to_string(number);
  const char* name = ::sigabbrev_np(number);
  return name == nullptr ? text : text + " (SIG" + name + ")";
}

}  // namespace pixmilter
