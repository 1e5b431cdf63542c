// All problems of a configuration in one report.
#include "mase/support/diagnostics.h"

#include <fmt/format.h>

#include <utility>

namespace mase {

std::string Problem::text() const {
  std::string text = where.text();
  if (!text.empty()) text += ": ";
  text += message;
  if (!hint.empty()) text += fmt::format("; {}", hint);
  return text;
}

void Diagnostics::add(std::string message, Location where, std::string hint) {
  problems_.push_back({std::move(where), std::move(message), std::move(hint)});
}

void Diagnostics::throw_if_any(ErrorKind kind) const {
  if (problems_.empty()) return;
  if (problems_.size() == 1) {
    throw Error(kind, problems_[0].message, problems_[0].where, problems_[0].hint);
  }
  std::string text = fmt::format("{} problems", problems_.size());
  for (const Problem& problem : problems_) text += "\n  " + problem.text();
  throw Error(kind, text);
}

}  // namespace mase
