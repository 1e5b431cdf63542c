#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ch/options/command_line.h"
#include "ch/options/config_file.h"
#include "ch/options/option.h"
#include "ch/options/settings.h"
#include "ch/options/sweep_plan.h"
#include "mase/support/terminal.h"

// What `ch` can do: one row per action, one file per row in ch/actions/.
namespace ch {

// An argument by position. Those named as an option ("model") set that option.
struct Positional {
  std::string_view name;
  std::string_view help;
  bool required = false;
  // What it may be, for completion and the check; empty = anything.
  std::vector<std::string> (*values)() = nullptr;
  bool only_values = false;  // anything else is a usage error
  // What it may be behind this value of the positional before it, for completion.
  std::vector<std::string> (*values_after)(std::string_view before) = nullptr;
  // The value of the positional before it behind which an option's flag is meant as a name.
  std::string_view flag_after = {};
};

// Everything an action is called with.
struct Invocation {
  const struct Action* action = nullptr;
  Settings settings;
  std::vector<PlannedPass> plan;     // the passes of the configuration file
  SweepPlan sweep;                   // the runs of an action that takes lists
  std::vector<std::string> command;  // as typed
  std::vector<std::pair<std::string, std::string>> positionals;  // those that are no options

  std::string positional(std::string_view name) const;  // "" if not given
  mase::ColourPolicy colour() const;
};

struct Action {
  std::string_view name;
  unsigned bit = 0;
  std::string_view summary;
  std::vector<Positional> positionals = {};
  bool reads_config = false;          // takes --config and the settings of a run
  bool runs_passes = false;           // those of the configuration file
  bool takes_lists = false;           // options that may vary, and [sweep] of the file
  int (*run)(Invocation&) = nullptr;  // the exit code; throws mase::Error
};

const std::vector<Action>& actions();
const Action* find_action(std::string_view name);
std::vector<std::string> action_names();

// Actions that MASE's users may type and that have no function here, with the reason.
struct AbsentAction {
  std::string_view name;
  std::string_view reason;
};
const std::vector<AbsentAction>& absent_actions();

}  // namespace ch
