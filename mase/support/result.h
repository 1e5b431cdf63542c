#pragma once

#include <string>
#include <utility>
#include <variant>

#include "mase/support/error.h"

namespace mase {

// What a reader of foreign bytes says instead of throwing: what is wrong, and where in the file.
struct ReadError {
  std::string message;  // "truncated header: 3 of 8 bytes"
  Location where;       // at least the file, once known
};

// A value or a ReadError. Readers return it and never throw; callers that cannot go on take
// `or_throw()`, which raises Error{Unreadable}.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(ReadError error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& { return std::get<0>(state_); }
  T& value() & { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const ReadError& error() const { return std::get<1>(state_); }

  T or_throw() && {
    if (!ok()) throw Error(ErrorKind::Unreadable, error().message, error().where);
    return std::get<0>(std::move(state_));
  }

 private:
  std::variant<T, ReadError> state_;
};

// For readers that only say whether it worked.
using Status = Result<std::monostate>;

}  // namespace mase
