// Result<T>: the value, or the reason why there is none.
//
// What can fail returns a Result. Exceptions and GErrors of libraries are turned into an Error at the
// library's door and never travel through our own code.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace pixmilter {

// Why something failed, as one line for the log: names the place and the cause, ends without a full stop.
struct Error {
  std::string text;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only when ok(); anything else is a bug and throws std::bad_variant_access.
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Only when not ok().
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

// For what yields nothing but success.
struct Done {};
using Status = Result<Done>;

}  // namespace pixmilter
