// Rules that several ops share: element-wise results, broadcasting (from the right, as in NumPy),
// type promotion, and the simplest costs.
#include "mase/ops/rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace mase::ops {
namespace {

int category(ir::DType type) {
  if (type == ir::DType::Bool) return 0;
  return ir::is_floating(type) ? 2 : 1;
}

}  // namespace

const TensorType& floating_input(const Site& site) {
  const TensorType& data = site.data();
  if (!ir::is_floating(data.dtype)) {
    usage_error(fmt::format("{} computes with floating-point numbers, but its input is {}",
                            site.node.op, ir::name(data.dtype)),
                site.where());
  }
  return data;
}

ValueType like_input(const Site& site) {
  return floating_input(site);
}

ir::Shape broadcast(const ir::Shape& a, const ir::Shape& b, const Location& where) {
  ir::Shape out(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) {
      usage_error(fmt::format("shapes {} and {} do not fit: {} against {} in dimension {}",
                              ir::text(a), ir::text(b), x, y, out.size() - 1 - i),
                  where);
    }
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

ir::DType promoted(ir::DType a, ir::DType b) {
  if (a == b) return a;
  if (category(a) != category(b)) return category(a) > category(b) ? a : b;
  if (ir::size_of(a) != ir::size_of(b)) return ir::size_of(a) > ir::size_of(b) ? a : b;
  // Same size, different kinds: neither of the pair holds the other's values.
  return category(a) == 2 ? ir::DType::Float32 : ir::DType::Int16;
}

double elements(const ValueType& type) {
  const auto* tensor = std::get_if<TensorType>(&type);
  return tensor ? static_cast<double>(ir::element_count(tensor->shape)) : 0;
}

std::optional<Cost> per_element_cost(const Site& site, const ValueType& result) {
  const double n = elements(site.data());
  return Cost{.computations = n,
              .backward_computations = n,
              .input_buffer_size = n,
              .output_buffer_size = elements(result)};
}

std::optional<Cost> free_cost(const Site& site, const ValueType& result) {
  return Cost{.input_buffer_size = elements(site.data()), .output_buffer_size = elements(result)};
}

std::size_t dimension(std::int64_t index, std::size_t rank, const Location& where) {
  // A scalar may be addressed as if it had one dimension.
  const auto size = static_cast<std::int64_t>(std::max<std::size_t>(rank, 1));
  if (index < -size || index >= size) {
    usage_error(fmt::format("dimension {} is out of range: {} to {}", index, -size, size - 1),
                where);
  }
  return static_cast<std::size_t>(index < 0 ? index + size : index);
}

}  // namespace mase::ops
