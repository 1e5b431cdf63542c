#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace mase {

// Where a user made a mistake: a place in a file, or a node of a graph. Any part may be empty.
struct Location {
  std::string file;
  int line = 0;    // from 1; 0 = unknown
  int column = 0;  // from 1; 0 = unknown
  std::string node;

  bool empty() const { return file.empty() && node.empty(); }
  std::string text() const;  // "file:3:7", "node seq_blocks_2", or ""
};

// What kind of failure it is decides the exit code of `ch`.
enum class ErrorKind {
  RunFailed,    // 1: the work itself failed (NaN loss, disk full, ...)
  Usage,        // 2: option, TOML key, rule
  Unreadable,   // 3: an input that cannot be read
  Unsupported,  // 4: an op or a format no engine has
  Tool,         // 5: an external program is missing or failed
  CheckFailed,  // 6: verifier, mismatch
  Internal,     // 70: a bug of ours
  Interrupted,  // 130: the user stopped the run
};

int exit_code(ErrorKind kind);

// The one exception type. `message` says what and why, `hint` what to do about it.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, Location where = {}, std::string hint = {});

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const Location& where() const { return where_; }
  const std::string& hint() const { return hint_; }
  const std::string& text() const { return text_; }  // where: message (hint)
  // The same up to the first NUL, which names in files may hold.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_;
  Location where_;
  std::string hint_;
  std::string text_;
};

[[noreturn]] void usage_error(std::string message, Location where = {}, std::string hint = {});
[[noreturn]] void unsupported(std::string message, Location where = {}, std::string hint = {});
// A broken invariant: never reachable from what a user typed.
[[noreturn]] void internal_error(std::string message);

}  // namespace mase
