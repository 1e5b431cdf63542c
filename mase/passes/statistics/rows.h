#pragma once

#include "mase/passes/statistics/statistic.h"

namespace mase::passes::statistics {

extern const Statistic kAbsMean;
extern const Statistic kRangeMinMax;
extern const Statistic kRangeNSigma;
extern const Statistic kRangeQuantile;
extern const Statistic kRecord;
extern const Statistic kVarianceOnline;
extern const Statistic kVariancePrecise;

}  // namespace mase::passes::statistics
