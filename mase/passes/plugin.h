#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "mase/passes/pass.h"

// Passes of users' own, in a shared module that is loaded at run time (`ch transform --plugin`). A
// module needs one function:
//
//   extern "C" const mase::passes::PluginInfo* mase_plugin() {
//     static const mase::passes::PluginInfo kInfo{.name = "mine", .passes = kMyPasses};
//     return &kInfo;
//   }
//
// It is compiled against the headers of the library that will load it and not linked to another
// copy of it; examples/own_pass is a complete project.
namespace mase::passes {

// What must be equal on both sides for a pass of the module to be callable. A module carries the
// values it was compiled with.
struct PluginAbi {
  std::uint32_t revision = 2;  // raised when the meaning of an interface changes
  std::uint32_t size_of_pass = sizeof(Pass);
  std::uint32_t size_of_field = sizeof(Field);
  std::uint32_t size_of_options = sizeof(Options);
  std::uint32_t size_of_context = sizeof(Context);
  std::uint32_t size_of_graph = sizeof(ir::Graph);
  std::uint32_t size_of_node = sizeof(ir::Node);

  bool operator==(const PluginAbi&) const = default;
};

struct PluginInfo {
  PluginAbi abi = {};  // first, so that it can be read whatever follows
  const char* name = "";
  std::span<const Pass> passes;  // live as long as the module
};

// What a module exports under the name "mase_plugin".
using PluginEntry = const PluginInfo* (*)();

// Loads a module for the rest of the process and adds its passes to the table; loading the same
// file again changes nothing. Throws Error{Unreadable} if it cannot be loaded, Error{Usage} if it
// is no plug-in, was built for another version, or brings a pass whose name is taken (then none of
// its passes is added).
const PluginInfo& load_plugin(const std::filesystem::path& path);

}  // namespace mase::passes
