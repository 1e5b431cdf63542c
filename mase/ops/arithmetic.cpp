// Arithmetic on tensors and numbers, element by element with broadcasting: add, sub, mul. Of plain
// numbers (sizes) the result is a plain number.
#include <fmt/format.h>

#include "mase/ops/rows.h"
#include "mase/ops/rules.h"

namespace mase::ops {
namespace {

const ValueType& operand(const Site& site, std::size_t i) {
  const ValueType* given = site.operand(i);
  if (!given) usage_error(fmt::format("{} needs two operands", site.node.op), site.where());
  const auto* value = std::get_if<ir::Value>(given);
  if (value && !value->is_number() && !value->is<bool>()) {
    usage_error(fmt::format("{} cannot use {} as an operand", site.node.op, ir::repr(*value)),
                site.where());
  }
  return *given;
}

// The type of a tensor after an operation with a plain number.
ir::DType with_number(ir::DType type, const ir::Value& number) {
  if (number.is<double>() && !ir::is_floating(type)) return ir::DType::Float32;
  if (number.is<std::int64_t>() && type == ir::DType::Bool) return ir::DType::Int64;
  return type;
}

ir::Value of_numbers(const Site& site, const ir::Value& a, const ir::Value& b) {
  const char op = site.node.op[0];  // add, sub, mul
  if (a.is<std::int64_t>() && b.is<std::int64_t>()) {
    const std::int64_t x = a.as_int();
    const std::int64_t y = b.as_int();
    std::int64_t out = 0;
    const bool overflow = op == 'a'   ? __builtin_add_overflow(x, y, &out)
                          : op == 's' ? __builtin_sub_overflow(x, y, &out)
                                      : __builtin_mul_overflow(x, y, &out);
    if (overflow) usage_error("the result does not fit 64 bits", site.where());
    return out;
  }
  const double x = a.is<bool>() ? a.as_bool() : a.as_number();
  const double y = b.is<bool>() ? b.as_bool() : b.as_number();
  return op == 'a' ? x + y : op == 's' ? x - y : x * y;
}

ValueType arithmetic_type(const Site& site) {
  const ValueType& a = operand(site, 0);
  const ValueType& b = operand(site, 1);
  const auto* x = std::get_if<TensorType>(&a);
  const auto* y = std::get_if<TensorType>(&b);
  if (x && y) {
    return TensorType{broadcast(x->shape, y->shape, site.where()), promoted(x->dtype, y->dtype)};
  }
  if (x) return TensorType{x->shape, with_number(x->dtype, std::get<ir::Value>(b))};
  if (y) return TensorType{y->shape, with_number(y->dtype, std::get<ir::Value>(a))};
  return of_numbers(site, std::get<ir::Value>(a), std::get<ir::Value>(b));
}

// One operation per element of the result; the input buffer is that of the first tensor, as MASE
// counts it.
std::optional<Cost> arithmetic_cost(const Site& site, const ValueType& result) {
  const double n = elements(result);
  if (n == 0) return Cost{};
  return Cost{.computations = n,
              .backward_computations = n,
              .input_buffer_size = elements(site.data()),
              .output_buffer_size = n};
}

std::vector<Argument> two_operands() {
  return {{.name = "data_in_0"}, {.name = "data_in_1", .formal = "other"}};
}

}  // namespace

const Op kAdd{
    .name = "add",
    .kind = Kind::BuiltinFunc,
    .functions = {"operator.add", "torch.add"},
    .arguments = two_operands(),
    .quantisable = {"data_in_0", "data_in_1"},
    .infer = arithmetic_type,
    .cost = arithmetic_cost,
    .summary = "a + b",
};

const Op kSub{
    .name = "sub",
    .kind = Kind::BuiltinFunc,
    .functions = {"operator.sub", "torch.sub"},
    .arguments = two_operands(),
    .quantisable = {"data_in_0", "data_in_1"},
    .infer = arithmetic_type,
    .cost = arithmetic_cost,
    .summary = "a - b",
};

const Op kMul{
    .name = "mul",
    .kind = Kind::BuiltinFunc,
    .functions = {"operator.mul", "torch.mul"},
    .arguments = two_operands(),
    .quantisable = {"data_in_0", "data_in_1"},
    .infer = arithmetic_type,
    .cost = arithmetic_cost,
    .summary = "a * b, element by element",
};

}  // namespace mase::ops
