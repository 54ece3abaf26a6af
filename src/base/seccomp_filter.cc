#include "base/seccomp_filter.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace pixmilter {

SeccompFilter::SeccompFilter(std::uint32_t others) : context_(::seccomp_init(others), ::seccomp_release) {
  // libseccomp asks the kernel first whether it knows the action.
  if (!context_) error_ = ENOSYS;
  set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  set(SCMP_FLTATR_CTL_NNP, 1);
  set(SCMP_FLTATR_CTL_TSYNC, 1);
}

void SeccompFilter::allow(std::initializer_list<int> calls) {
  for (const int call : calls) add(SCMP_ACT_ALLOW, call, {});
}

void SeccompFilter::allow_if(int call, std::initializer_list<scmp_arg_cmp> arguments) {
  add(SCMP_ACT_ALLOW, call, arguments);
}

void SeccompFilter::answer(int call, int error, std::initializer_list<scmp_arg_cmp> arguments) {
  add(SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), call, arguments);
}

Status SeccompFilter::load() {
  if (error_ == 0) error_ = -::seccomp_load(context_.get());
  if (error_ != 0) return Error{std::string("seccomp: ") + std::strerror(error_)};
  return Done{};
}

void SeccompFilter::set(scmp_filter_attr attribute, std::uint32_t value) {
  if (error_ == 0) error_ = -::seccomp_attr_set(context_.get(), attribute, value);
}

void SeccompFilter::add(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> arguments) {
  if (error_ != 0) return;
  error_ = -::seccomp_rule_add_array(context_.get(), action, call, static_cast<unsigned>(arguments.size()),
                                     arguments.begin());
}

}  // namespace pixmilter
