#pragma once

#include <string>
#include <vector>

#include "mase/support/error.h"

namespace mase {

struct Problem {
  Location where;
  std::string message;
  std::string hint;

  std::string text() const;  // "file:3:7: message; hint"
};

// Collects every problem of a configuration so that a user sees all of them at once.
class Diagnostics {
 public:
  void add(std::string message, Location where = {}, std::string hint = {});
  bool empty() const { return problems_.empty(); }
  const std::vector<Problem>& problems() const { return problems_; }

  // Throws one Error of this kind whose message lists all problems, a line each.
  void throw_if_any(ErrorKind kind = ErrorKind::Usage) const;

 private:
  std::vector<Problem> problems_;
};

}  // namespace mase
