// Progress bars in the shape of Python's `tqdm`.
#include "mase/support/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <utility>

#include "mase/support/printable.h"

namespace mase {
namespace {

// The bar whose line is on the terminal, and the lock that guards it.
std::mutex screen_mutex;
std::FILE* screen_stream = nullptr;
const Progress* screen_owner = nullptr;

constexpr std::array<std::string_view, 9> kBlocks{" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
constexpr std::array<std::string_view, 11> kAscii{" ", "1", "2", "3", "4", "5",
                                                  "6", "7", "8", "9", "#"};

template <std::size_t N>
std::string bar(double fraction, int width, const std::array<std::string_view, N>& symbols) {
  constexpr int kSteps = static_cast<int>(N) - 1;
  const int filled = static_cast<int>(fraction * width * kSteps);
  std::string out;
  for (int i = 0; i < width; ++i) {
    const int here = std::clamp(filled - i * kSteps, 0, kSteps);
    out += symbols[static_cast<std::size_t>(here)];
  }
  return out;
}

// The first `columns` code points.
std::string cut(std::string text, int columns) {
  int seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (seen++ == columns) {
      text.resize(i);
      return text;
    }
  }
  return text;
}

void wipe_locked() {
  if (screen_stream == nullptr) return;
  std::fputs("\r\x1b[2K", screen_stream);
  std::fflush(screen_stream);
  screen_stream = nullptr;
  screen_owner = nullptr;
}

void write_line(std::FILE* stream, const std::string& text) {
  std::fputs((printable(text) + "\n").c_str(), stream);
  std::fflush(stream);
}

}  // namespace

std::string format_interval(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e9));
  const std::int64_t hours = whole / 3600;
  const std::int64_t minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{:02}:{:02}", minutes, whole % 60);
}

std::string format_progress(const ProgressState& state, int width, bool utf8) {
  const bool bounded = state.total && *state.total > 0 && state.done <= *state.total;
  const double rate =
      state.seconds > 0 ? static_cast<double>(state.done - state.begin) / state.seconds : 0;
  std::string remaining = "?";
  if (rate > 0) {
    remaining = bounded ? format_interval(static_cast<double>(*state.total - state.done) / rate)
                        : format_interval(0);
  }
  const std::string rate_text =
      rate > 0 ? fmt::format("{:5.2f}{}/s", rate, state.unit) : fmt::format("?{}/s", state.unit);
  const double fraction =
      bounded ? static_cast<double>(state.done) / static_cast<double>(*state.total) : 0;

  std::string left = state.description.empty() ? "" : fmt::format("{}: ", state.description);
  left += bounded ? fmt::format("{:3.0f}%|", fraction * 100) : "|";
  const std::string right =
      fmt::format("| {}/{} [{}<{}, {}{}{}]", state.done,
                  bounded ? fmt::format("{}", *state.total) : "?", format_interval(state.seconds),
                  remaining, rate_text, state.postfix.empty() ? "" : ", ", state.postfix);

  const int used = static_cast<int>(visible_width(left) + visible_width(right));
  const int length = width > 0 ? std::max(1, width - used) : 10;
  const std::string middle = utf8 ? bar(fraction, length, kBlocks) : bar(fraction, length, kAscii);
  std::string line = left + middle + right;
  return width > 0 ? cut(std::move(line), width) : line;
}

Progress::Progress(std::string description, std::optional<std::int64_t> total, std::FILE* stream,
                   ProgressOptions options)
    : description_(std::move(description)),
      total_(total),
      stream_(stream),
      options_(std::move(options)),
      terminal_(options_.terminal ? *options_.terminal : inspect_terminal(fileno(stream))),
      start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  const std::lock_guard lock(screen_mutex);
  if (screen_owner != this) return;
  std::fputs("\n", stream_);
  std::fflush(stream_);
  screen_stream = nullptr;
  screen_owner = nullptr;
}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::string Progress::text(std::int64_t done, std::string_view postfix) const {
  const ProgressState state{.description = description_,
                            .done = done,
                            .total = total_,
                            .seconds = seconds(),
                            .begin = options_.begin,
                            .postfix = postfix,
                            .unit = options_.unit};
  return format_progress(state, terminal_.interactive ? terminal_.width : 0, terminal_.utf8);
}

bool Progress::due(std::int64_t done) const {
  if (finished_) return false;
  if (terminal_.interactive) return seconds() - last_drawn_ >= options_.least_interval;
  // The end itself is left to finish().
  return options_.every_tenth && total_ && *total_ > 0 && done < *total_ &&
         done * 10 / *total_ > tenths_;
}

void Progress::draw(std::int64_t done, std::string_view postfix) {
  const std::string line = text(done, postfix);
  last_drawn_ = seconds();
  if (!terminal_.interactive) {
    if (total_ && *total_ > 0) tenths_ = done * 10 / *total_;
    write_line(stream_, line);
    return;
  }
  show(line);
}

void Progress::show(const std::string& line) {
  const std::lock_guard lock(screen_mutex);
  wipe_locked();
  std::fputs(("\r" + printable(line)).c_str(), stream_);
  std::fflush(stream_);
  screen_stream = stream_;
  screen_owner = this;
}

void Progress::draw_line(std::string line) {
  last_drawn_ = seconds();
  if (terminal_.interactive) show(cut(std::move(line), terminal_.width));
}

void Progress::finish(std::int64_t done, std::string_view postfix) {
  if (finished_) return;
  finished_ = true;
  const std::string line = text(done, postfix);
  if (terminal_.interactive) clear_line();
  if (options_.keep) write_line(stream_, line);
}

void Progress::clear_line() {
  const std::lock_guard lock(screen_mutex);
  wipe_locked();
}

}  // namespace mase
