#pragma once

#include <span>
#include <string>
#include <vector>

#include "ch/options/option.h"
#include "mase/support/diagnostics.h"

namespace ch {

// An option as it was given.
struct Given {
  const Option* option = nullptr;
  mase::ir::Value value;
  std::string spelling;                      // "--cpu"
  std::vector<mase::ir::Value> values = {};  // of ch sweep, where there are several; value = first
};

struct CommandLine {
  std::vector<std::string> positionals;  // the action first
  std::vector<Given> given;              // in order; the last of several wins
  mase::Diagnostics missing;             // options that name files that are not there

  // The value given last, or null.
  const mase::ir::Value* find(std::string_view dest) const;
  bool flag(std::string_view dest) const { return find(dest) != nullptr; }
};

// Reads the arguments after the program's name as users of argparse expect: options anywhere,
// `--name value` and `--name=value`, unambiguous prefixes, negative numbers as values, `--` ends
// the options. Options that may vary take a list where the action does. Problems go to
// `diagnostics`; what could be read is returned.
CommandLine read_command_line(std::span<const std::string> arguments,
                              mase::Diagnostics& diagnostics);

}  // namespace ch
