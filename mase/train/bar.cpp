// When to redraw: after every look the number of steps to the next one is set from the rate seen.
#include "mase/train/bar.h"

#include <algorithm>
#include <limits>

namespace mase::train {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr double kSecondsBetweenLooks = 0.05;

}  // namespace

Bar::Bar(std::FILE* stream, std::string_view description, std::int64_t total, Options options)
    : next_(kNever), last_(options.begin), last_time_(std::chrono::steady_clock::now()) {
  if (!stream) return;
  const Terminal terminal = inspect_terminal(fileno(stream));
  if (options.quiet && !terminal.interactive) return;
  progress_.emplace(
      std::string(description), total, stream,
      ProgressOptions{.keep = options.keep, .begin = options.begin, .terminal = terminal});
  if (terminal.interactive) next_ = options.begin + 1;
}

bool Bar::look(std::int64_t done) {
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - last_time_).count();
  const double rate = static_cast<double>(done - last_) / std::max(seconds, 1e-9);
  const double ahead = std::clamp(rate * kSecondsBetweenLooks, 1.0, 1e9);
  next_ = done + static_cast<std::int64_t>(ahead);
  last_ = done;
  last_time_ = now;
  return progress_->due(done);
}

void Bar::finish(std::int64_t done, std::string_view postfix) {
  next_ = kNever;
  if (progress_) progress_->finish(done, postfix);
}

}  // namespace mase::train
