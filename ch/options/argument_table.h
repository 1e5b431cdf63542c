#pragma once

#include <string>

#include "ch/options/settings.h"

namespace ch {

// The table of a run's options that is printed at start: Name, Default, Config. File (with a file
// only), Manual Override, Effective. Options of MASE are all shown, ours where one of `actions`
// uses them. With `colour`, values that do not hold are grey.
std::string argument_table(const Settings& settings, bool colour, unsigned actions = kAll);

}  // namespace ch
