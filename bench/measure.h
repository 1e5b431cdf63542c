#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "bench/settings.h"

// How everything here is timed: contenders take turns in short windows of processor time within
// one process, so that a change of clock rate or a neighbour on the machine meets all of them
// alike, and what is quoted are medians and the spread of the ratios of neighbouring windows.
namespace mase::bench {

// Processor time of this process in seconds: of all its threads, so that nobody hides work in one.
double processor_seconds();

struct Contender {
  std::string name;
  std::function<void()> step;
  double work = 1;  // of one step: samples, operations
};

using Rates = std::vector<double>;  // work per second of processor time, one per window

// The rates of all contenders, in their order, after one warm-up window of each.
std::vector<Rates> alternate(std::span<const Contender> contenders, const Settings& settings);

struct Spread {
  double median = 0;
  double low = 0;   // the 10 % quantile
  double high = 0;  // the 90 % quantile
};
Spread spread(std::vector<double> values);
// Of the window-by-window ratios a / b.
Spread ratio(const Rates& a, const Rates& b);

}  // namespace mase::bench
