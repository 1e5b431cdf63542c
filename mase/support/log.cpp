// Log lines in the format that users of MASE know.
#include "mase/support/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "mase/support/printable.h"
#include "mase/support/progress.h"

namespace mase {
namespace {

struct LevelRow {
  LogLevel level;
  std::string_view name;
  std::string_view colour;
};

constexpr std::array kLevels{
    LevelRow{LogLevel::Debug, "debug", ansi::kCyan},
    LevelRow{LogLevel::Info, "info", ansi::kGreen},
    LevelRow{LogLevel::Warning, "warning", ansi::kYellow},
    LevelRow{LogLevel::Error, "error", ansi::kRed},
    LevelRow{LogLevel::Critical, "critical", ansi::kRedOnWhite},
};

const LevelRow& row(LogLevel level) {
  return kLevels.at(static_cast<std::size_t>(level));
}

}  // namespace

std::string_view name(LogLevel level) {
  return row(level).name;
}

std::vector<std::string> log_level_names() {
  std::vector<std::string> names;
  for (const LevelRow& level : kLevels) names.emplace_back(level.name);
  return names;
}

bool parse_log_level(std::string_view text, LogLevel& out) {
  const auto found = std::find_if(kLevels.begin(), kLevels.end(),
                                  [&](const LevelRow& level) { return level.name == text; });
  if (found == kLevels.end()) return false;
  out = found->level;
  return true;
}

std::string format_log(LogLevel level, std::string_view message, bool colour) {
  std::string label(row(level).name);
  std::transform(label.begin(), label.end(), label.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  label = fmt::format("{:<8}", label);
  const std::string text = message_text(message);
  if (!colour) return fmt::format("{} {}", label, text);
  return fmt::format("{} {}", paint(label, row(level).colour), paint(text, ansi::kBlue));
}

Log::Log(std::FILE* stream, ColourPolicy policy)
    : stream_(stream), terminal_(inspect_terminal(fileno(stream), policy)) {}

void Log::write(LogLevel level, std::string_view message) const {
  if (level < level_ || (level == LogLevel::Warning && !warnings_)) return;
  Progress::clear_line();
  // One call per line, so that lines of several threads do not mix.
  const std::string line = format_log(level, message, terminal_.colour) + "\n";
  std::fwrite(line.data(), 1, line.size(), stream_);
  std::fflush(stream_);
}

}  // namespace mase
