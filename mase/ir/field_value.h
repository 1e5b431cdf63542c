#pragma once

#include "mase/ir/value.h"
#include "mase/support/field.h"

// Values of fields (support/field.h) among the dynamic values of a graph.
namespace mase::ir {

Value value_of(const FieldValue& value);
// Tuples become lists; what only a graph knows (nodes, tensors) becomes Foreign.
FieldValue field_value(const Value& value);

}  // namespace mase::ir
