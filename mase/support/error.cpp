// The exception type of the library and its exit codes (docs/errors.md).
#include "mase/support/error.h"

#include <fmt/format.h>

#include <utility>

namespace mase {

std::string Location::text() const {
  std::string text = file;
  if (line > 0) text += fmt::format(":{}", line);
  if (line > 0 && column > 0) text += fmt::format(":{}", column);
  if (!node.empty()) text += fmt::format("{}node {}", text.empty() ? "" : ", ", node);
  return text;
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::RunFailed:
      return 1;
    case ErrorKind::Usage:
      return 2;
    case ErrorKind::Unreadable:
      return 3;
    case ErrorKind::Unsupported:
      return 4;
    case ErrorKind::Tool:
      return 5;
    case ErrorKind::CheckFailed:
      return 6;
    case ErrorKind::Internal:
      return 70;
    case ErrorKind::Interrupted:
      return 130;
  }
  return 70;
}

Error::Error(ErrorKind kind, std::string message, Location where, std::string hint)
    : kind_(kind), message_(std::move(message)), where_(std::move(where)), hint_(std::move(hint)) {
  const std::string place = where_.text();
  text_ = place.empty() ? message_ : fmt::format("{}: {}", place, message_);
  if (!hint_.empty()) text_ += fmt::format(" ({})", hint_);
}

void usage_error(std::string message, Location where, std::string hint) {
  throw Error(ErrorKind::Usage, std::move(message), std::move(where), std::move(hint));
}

void unsupported(std::string message, Location where, std::string hint) {
  throw Error(ErrorKind::Unsupported, std::move(message), std::move(where), std::move(hint));
}

void internal_error(std::string message) {
  throw Error(ErrorKind::Internal, std::move(message), {},
              "this is a bug in mase: please report it");
}

}  // namespace mase
