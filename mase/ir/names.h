#pragma once

#include <string>
#include <string_view>

#include "mase/ir/graph.h"

// How torch.fx names nodes.
namespace mase::ir {

// The name a node gets if none is asked for, before it is made unique: the module path, the
// function's own name ("flatten" for torch.flatten), the method ("iadd" for __iadd__), in snake
// case.
std::string default_name(const Node& node);

// Names that no node may have: Python's keywords and built-ins, and what torch.fx's generated code
// uses itself.
bool is_reserved_name(std::string_view name);

}  // namespace mase::ir
