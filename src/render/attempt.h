// Attempt<T>: what a step of rendering made, or why it did not, with the status that the job then gets.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/result.h"
#include "image/job.h"

namespace pixmilter::render {

// One line for the log, without a full stop; status is refused or limit.
struct Failure {
  image::Status status = image::Status::refused;
  std::string reason;
};
inline Failure refused(std::string reason) { return {image::Status::refused, std::move(reason)}; }
inline Failure over_limit(std::string reason) { return {image::Status::limit, std::move(reason)}; }

template <class T>
class [[nodiscard]] Attempt {
 public:
  Attempt(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Attempt(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // Only when ok().
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  // Only when not ok().
  const Failure& failure() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

}  // namespace pixmilter::render
