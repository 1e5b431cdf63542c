#pragma once

#include <functional>
#include <string_view>

#include "mase/ir/graph.h"
#include "mase/passes/pass.h"

namespace mase::passes {

// Applied to one value: anything that is no dictionary, list or tuple.
using CastFunction = std::function<ir::Value(const ir::Value&)>;

// Replaces every value inside the metadata (stored tensors, constants, statistics) by fn of it.
// Shapes, types and precisions stay.
ir::Graph metadata_value_type_cast(const ir::Graph& graph, const CastFunction& fn);

// What a file may ask for by name. Tensors become: "to_list" (or "to_numpy", its name in MASE)
// nested lists of numbers; "drop" None; "float64" and so on, tensors of that type. Other values
// stay. Throws Error{Usage} with the names there are.
CastFunction cast_function(std::string_view name);

extern const Pass kMetadataValueTypeCast;

}  // namespace mase::passes
