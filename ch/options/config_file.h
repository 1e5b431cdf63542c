#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ch/options/settings.h"
#include "mase/io/text/toml.h"
#include "mase/passes/pass.h"

namespace ch {

// Reads a configuration file into the settings. Problems of its top level go to `diagnostics` with
// file, line and column. Throws Error{Usage} if it is no TOML, Error{Unreadable} if it cannot be
// read.
mase::io::TomlNode read_config(const std::string& path, Settings& settings,
                               mase::Diagnostics& diagnostics);

// Loads the plug-ins of --plugin, or, with --trust, of the key `plugins`: paths from the working
// directory, those of the key also from beside the file. Throws Error{Usage} for the key without
// --trust: a configuration file by itself runs no code.
void load_plugins(const Settings& settings);

// The passes of a configuration file in file order, with checked options.
struct PlannedPass {
  const mase::passes::Pass* pass = nullptr;
  mase::passes::Options options;
};
// Plug-ins must be loaded before; problems go to `diagnostics`.
std::vector<PlannedPass> planned_passes(const mase::io::TomlNode& file,
                                        mase::Diagnostics& diagnostics);

}  // namespace ch
