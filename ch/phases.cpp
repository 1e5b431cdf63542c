// Wall-clock time of the phases of a run.
#include "ch/phases.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/support/table.h"

namespace ch {

namespace {

std::string time_text(double seconds) {
  return seconds < 1 ? fmt::format("{:.1f} ms", seconds * 1e3) : fmt::format("{:.2f} s", seconds);
}

}  // namespace

void Phases::start(std::string_view name) {
  stop();
  current_ = name;
  since_ = Clock::now();
}

void Phases::stop() {
  if (current_.empty()) return;
  const double passed = std::chrono::duration<double>(Clock::now() - since_).count();
  const auto found = std::find_if(seconds_.begin(), seconds_.end(),
                                  [&](const auto& phase) { return phase.first == current_; });
  if (found != seconds_.end()) {
    found->second += passed;
  } else {
    seconds_.emplace_back(current_, passed);
  }
  current_.clear();
}

std::string Phases::report() {
  stop();
  auto sorted = seconds_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  double total = 0;
  for (const auto& [name, seconds] : sorted) total += seconds;
  std::vector<std::vector<mase::Cell>> rows;
  for (const auto& [name, seconds] : sorted) {
    rows.push_back({name, time_text(seconds),
                    fmt::format("{:.1f} %", total > 0 ? 100 * seconds / total : 0.0)});
  }
  rows.push_back({std::string("total"), time_text(total), std::string()});
  return mase::format_table({"Phase", "Time", "Share"}, rows,
                            {.style = mase::TableStyle::Simple,
                             .align = {mase::Align::Left, mase::Align::Right, mase::Align::Right}});
}

}  // namespace ch
