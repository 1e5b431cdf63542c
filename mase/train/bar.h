#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "mase/support/progress.h"

namespace mase::train {

// A progress bar that costs a loop of microsecond steps one comparison per step: how many steps
// pass between two looks at the clock adapts to their speed. Silent without a stream.
class Bar {
 public:
  struct Options {
    bool keep = true;        // the finished bar stays
    bool quiet = false;      // nothing at all where the stream is no terminal
    std::int64_t begin = 0;  // where a resumed epoch starts
  };
  Bar(std::FILE* stream, std::string_view description, std::int64_t total, Options options);

  // `postfix` is called only when the bar is drawn.
  template <typename Postfix>
  void update(std::int64_t done, Postfix&& postfix) {
    if (done < next_) [[likely]]
      return;
    if (look(done)) progress_->draw(done, postfix());
  }
  void finish(std::int64_t done, std::string_view postfix = {});

 private:
  bool look(std::int64_t done);

  std::optional<Progress> progress_;
  std::int64_t next_;
  std::int64_t last_ = 0;
  std::chrono::steady_clock::time_point last_time_;
};

}  // namespace mase::train
