#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "mase/support/terminal.h"

namespace mase {

// How far some work has come.
struct ProgressState {
  std::string_view description = {};
  std::int64_t done = 0;
  std::optional<std::int64_t> total = std::nullopt;  // unknown: no percentage, no bar
  double seconds = 0;                                // since the start
  std::int64_t begin = 0;                            // done already at the start
  std::string_view postfix = {};                     // "v_num=0, train_acc_step=0.645"
  std::string_view unit = "it";
};

// "Epoch 9: 100%|████| 3084/3084 [00:16<00:00, 183.06it/s, v_num=0]". The bar fills the line up to
// `width` columns, the text is cut there; width 0 gives a bar of 10 and cuts nothing.
std::string format_progress(const ProgressState& state, int width, bool utf8);

// "01:05", "1:02:03".
std::string format_interval(double seconds);

struct ProgressOptions {
  std::string unit = "it";
  // The finished bar stays on the terminal, or in the file; else nothing is left of it.
  bool keep = true;
  std::int64_t begin = 0;  // done already, in an earlier run: does not count in the rate
  // Not on a terminal: a line at every tenth of the work instead of one at the end.
  bool every_tenth = false;
  double least_interval = 0.1;                      // seconds between two redraws
  std::optional<Terminal> terminal = std::nullopt;  // default: what the stream is
};

// A bar on a stream. On a terminal it redraws its own line; elsewhere it writes plain lines. Only
// one bar is on the screen at a time: another one's drawing takes its place.
class Progress {
 public:
  Progress(std::string description, std::optional<std::int64_t> total, std::FILE* stream = stderr,
           ProgressOptions options = {});
  ~Progress();  // ends the line of a bar that was not finished
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Whether it is time to draw; cheap, for loops that make a postfix only when it will be seen.
  bool due(std::int64_t done) const;
  void draw(std::int64_t done, std::string_view postfix = {});
  void update(std::int64_t done, std::string_view postfix = {}) {
    if (due(done)) draw(done, postfix);
  }
  // On a terminal: a line of the caller's own in place of the bar, cut at the width.
  void draw_line(std::string line);
  // Draws the last state for good. Does nothing the second time.
  void finish(std::int64_t done, std::string_view postfix = {});

  // Wipes the bar that is on the terminal, if any: to be called before other output.
  static void clear_line();

 private:
  double seconds() const;
  void show(const std::string& line);
  std::string text(std::int64_t done, std::string_view postfix) const;

  std::string description_;
  std::optional<std::int64_t> total_;
  std::FILE* stream_;
  ProgressOptions options_;
  Terminal terminal_;
  std::chrono::steady_clock::time_point start_;
  double last_drawn_ = -1e9;
  std::int64_t tenths_ = 0;
  bool finished_ = false;
};

}  // namespace mase
