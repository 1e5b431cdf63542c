// The table of statistics, and how a request becomes a collector.
#include <fmt/format.h>

#include <array>

#include "mase/passes/statistics/rows.h"
#include "mase/support/suggest.h"

namespace mase::passes::statistics {

std::span<const Statistic* const> statistics() {
  static constexpr std::array kStatistics{
      &kAbsMean, &kRangeMinMax,    &kRangeNSigma,     &kRangeQuantile,
      &kRecord,  &kVarianceOnline, &kVariancePrecise,
  };
  return kStatistics;
}

const Statistic* find_statistic(std::string_view name) {
  for (const Statistic* statistic : statistics()) {
    if (statistic->name == name) return statistic;
  }
  return nullptr;
}

std::unique_ptr<Collector> make_collector(const Request& request, Diagnostics& diagnostics,
                                          const Location& where,
                                          const ir::Named<Location>& places) {
  const Statistic* statistic = find_statistic(request.name);
  if (statistic == nullptr) {
    std::vector<std::string> names;
    for (const Statistic* known : statistics()) names.emplace_back(known->name);
    const std::string near = did_you_mean(request.name, names);
    diagnostics.add(fmt::format("there is no statistic '{}'", request.name), where,
                    near.empty() ? fmt::format("there are {}", fmt::join(names, ", ")) : near);
    return nullptr;
  }
  const std::size_t before = diagnostics.problems().size();
  const Options options = check_options(statistic->name, statistic->options, request.options, where,
                                        diagnostics, places);
  if (diagnostics.problems().size() > before) return nullptr;
  try {
    return statistic->make(options);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Usage) throw;
    diagnostics.add(error.message(), error.where(), error.hint());
    return nullptr;
  }
}

}  // namespace mase::passes::statistics
