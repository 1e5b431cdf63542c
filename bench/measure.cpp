// Alternating windows of processor time.
#include "bench/measure.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>

namespace mase::bench {
namespace {

// Steps between two looks at the clock, which is a system call: a hundredth of a window.
std::int64_t steps_per_look(const Contender& contender, double seconds) {
  contender.step();  // allocates what later steps reuse
  std::int64_t steps = 1;
  for (;;) {
    const double start = processor_seconds();
    for (std::int64_t i = 0; i < steps; ++i) contender.step();
    if (processor_seconds() - start >= seconds / 100) return steps;
    steps *= 2;
  }
}

double window(const Contender& contender, std::int64_t steps, double seconds) {
  const double start = processor_seconds();
  double passed = 0;
  std::int64_t done = 0;
  while (passed < seconds) {
    for (std::int64_t i = 0; i < steps; ++i) contender.step();
    done += steps;
    passed = processor_seconds() - start;
  }
  return static_cast<double>(done) * contender.work / passed;
}

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

}  // namespace

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::vector<Rates> alternate(std::span<const Contender> contenders, const Settings& settings) {
  std::vector<std::int64_t> steps;
  for (const Contender& contender : contenders) {
    steps.push_back(steps_per_look(contender, settings.seconds));
    window(contender, steps.back(), settings.seconds);
  }
  std::vector<Rates> rates(contenders.size());
  for (int w = 0; w < settings.windows; ++w) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      rates[i].push_back(window(contenders[i], steps[i], settings.seconds));
    }
  }
  return rates;
}

Spread spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.5), quantile(values, 0.1), quantile(values, 0.9)};
}

Spread ratio(const Rates& a, const Rates& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) ratios.push_back(a[i] / b[i]);
  return spread(std::move(ratios));
}

}  // namespace mase::bench
