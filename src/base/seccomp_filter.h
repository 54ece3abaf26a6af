// SeccompFilter: a seccomp(2) filter under construction, by libseccomp. The only door to it.
//
// Works as a list: what each call is answered with, and what all others are. Once loaded it binds every
// thread there is (SECCOMP_FILTER_FLAG_TSYNC), every one there will be, and all children.
#pragma once

#include <seccomp.h>

#include <cstdint>
#include <initializer_list>
#include <memory>

#include "base/result.h"

namespace pixmilter {

// Collects rules; after one that libseccomp does not take, load() says so. One thread.
class SeccompFilter {
 public:
  // others: SCMP_ACT_KILL_PROCESS or SCMP_ACT_ALLOW, for calls that are not listed. Calls of another
  // architecture kill the process either way.
  explicit SeccompFilter(std::uint32_t others);

  void allow(std::initializer_list<int> calls);
  // Only where all of these hold.
  void allow_if(int call, std::initializer_list<scmp_arg_cmp> arguments);
  // Fails with this errno. A call that this architecture does not have is passed over.
  void answer(int call, int error, std::initializer_list<scmp_arg_cmp> arguments = {});

  // For good. Sets no_new_privs as well. Fails where the kernel has no seccomp, or cannot bind all threads.
  Status load();

 private:
  void set(scmp_filter_attr attribute, std::uint32_t value);
  void add(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> arguments);

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_ = 0;  // errno of the first failure
};

// Conditions on a call's argument, counted from 0.
inline scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
inline scmp_arg_cmp differs(unsigned argument, scmp_datum_t value) {
  return {argument, SCMP_CMP_NE, value, 0};
}
inline scmp_arg_cmp none_of(unsigned argument, scmp_datum_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, 0};
}
inline scmp_arg_cmp all_of(unsigned argument, scmp_datum_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, bits};
}

}  // namespace pixmilter
