#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "mase/support/terminal.h"

namespace mase {

enum class LogLevel { Debug, Info, Warning, Error, Critical };

std::string_view name(LogLevel level);  // "debug"
// The names in rising order, for option tables.
std::vector<std::string> log_level_names();
// False if there is no such level.
bool parse_log_level(std::string_view text, LogLevel& out);

// One log line without its line break: "INFO     message", the level left-justified in 8 columns.
// With colour the level has the colour of its kind and the message is blue. The message is made
// harmless and short (message_text in support/printable.h). Tables begin on a line of their own:
// pass them with a leading '\n'.
std::string format_log(LogLevel level, std::string_view message, bool colour);

// The log of the program: standard error by default. Lines below the level are dropped.
class Log {
 public:
  explicit Log(std::FILE* stream = stderr, ColourPolicy policy = ColourPolicy::Auto);

  void set_level(LogLevel level) { level_ = level; }
  LogLevel level() const { return level_; }
  // Warnings can be left out by themselves, without the information around them.
  void show_warnings(bool show) { warnings_ = show; }
  const Terminal& terminal() const { return terminal_; }

  void write(LogLevel level, std::string_view message) const;
  void debug(std::string_view message) const { write(LogLevel::Debug, message); }
  void info(std::string_view message) const { write(LogLevel::Info, message); }
  void warning(std::string_view message) const { write(LogLevel::Warning, message); }
  void error(std::string_view message) const { write(LogLevel::Error, message); }

 private:
  std::FILE* stream_;
  Terminal terminal_;
  LogLevel level_ = LogLevel::Info;
  bool warnings_ = true;
};

}  // namespace mase
