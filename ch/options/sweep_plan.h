#pragma once

#include <string>
#include <vector>

#include "ch/options/settings.h"
#include "mase/io/text/toml.h"
#include "mase/support/diagnostics.h"

namespace ch {

// The runs of a sweep.
struct SweepPlan {
  // Options in which runs may differ, in the order of the tables: model and data set first, the
  // seed last.
  std::vector<std::string> varied;
  std::vector<Settings> runs;  // what varies last goes fastest
};

// Makes the runs from lists that were typed and from [sweep] of the file: every combination of the
// keys' values (the grid), for each [[sweep.run]] where there are any. What was typed wins over the
// file. The grid's lists become part of `settings`. Everything wrong, also names of models and data
// sets that do not exist, goes to `diagnostics`.
SweepPlan planned_sweep(const mase::io::TomlNode& file, Settings& settings,
                        mase::Diagnostics& diagnostics);

}  // namespace ch
