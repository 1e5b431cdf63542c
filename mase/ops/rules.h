#pragma once

#include "mase/ops/op.h"

// Shape and cost rules that several ops share.
namespace mase::ops {

// The result is as the first tensor; it must hold floating-point numbers.
ValueType like_input(const Site& site);
// The first tensor, checked to be of a floating-point type.
const TensorType& floating_input(const Site& site);

// Two shapes stretched to one, matched from the right (1 fits anything). Throws Error{Usage}.
ir::Shape broadcast(const ir::Shape& a, const ir::Shape& b, const Location& where);
// The type that holds results of both: any floating type over any integer one, then the larger.
ir::DType promoted(ir::DType a, ir::DType b);

double elements(const ValueType& type);  // of a tensor; 0 for plain values

// One operation per input element: activations.
std::optional<Cost> per_element_cost(const Site& site, const ValueType& result);
// Nothing is computed: dropout, identity, reshapes.
std::optional<Cost> free_cost(const Site& site, const ValueType& result);

// A value for an attribute, converted as PyTorch would (0 and 16 are truth values) and checked
// against the row's type and range. Throws Error{Usage} naming the attribute.
ir::Value checked(const Attribute& attribute, const ir::Value& value, const Location& where);

// A dimension index counted from the end if negative. Throws Error{Usage} outside of the rank.
std::size_t dimension(std::int64_t index, std::size_t rank, const Location& where);

}  // namespace mase::ops
