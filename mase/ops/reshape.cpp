// Changes of shape without work: flatten, view, reshape; and size, which gives plain integers.
#include <fmt/format.h>

#include "mase/ops/rows.h"
#include "mase/ops/rules.h"

namespace mase::ops {
namespace {

ValueType flatten_type(const Site& site) {
  TensorType type = site.data();
  const ir::Shape& in = type.shape;
  const std::size_t first =
      dimension(site.attribute("start_dim").as_int(), in.size(), site.where());
  const std::size_t last = dimension(site.attribute("end_dim").as_int(), in.size(), site.where());
  if (first > last) {
    usage_error(
        fmt::format("flatten from dimension {} to {}: the first comes after the last", first, last),
        site.where());
  }
  ir::Shape out;
  std::int64_t product = 1;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (i < first || i > last) {
      out.push_back(in[i]);
      continue;
    }
    product *= in[i];
    if (i == last) out.push_back(product);
  }
  if (in.empty()) out = {1};
  type.shape = out;
  return type;
}

// The sizes asked for: values after the tensor, or one tuple or list of them, or `shape=`.
ir::Shape wanted_shape(const Site& site) {
  std::vector<ir::Value> values;
  const auto take = [&](const ValueType& type) {
    const auto* value = std::get_if<ir::Value>(&type);
    if (!value) usage_error("a size must be a whole number, not a tensor", site.where());
    if (const auto* tuple = value->get<ir::Tuple>()) {
      values.insert(values.end(), tuple->items.begin(), tuple->items.end());
    } else if (const auto* list = value->get<ir::List>()) {
      values.insert(values.end(), list->begin(), list->end());
    } else {
      values.push_back(*value);
    }
  };
  for (std::size_t i = 1; i < site.args.size(); ++i) take(site.args[i]);
  for (const auto& [key, type] : site.kwargs) {
    if (key == "shape") take(type);
  }
  ir::Shape out;
  for (const ir::Value& value : values) {
    if (!value.is<std::int64_t>()) {
      usage_error(fmt::format("a size must be a whole number, not {}", ir::repr(value)),
                  site.where());
    }
    out.push_back(value.as_int());
  }
  return out;
}

ValueType view_type(const Site& site) {
  TensorType type = site.data();
  const std::int64_t total = ir::element_count(type.shape);
  ir::Shape out = wanted_shape(site);
  const auto fail = [&] {
    usage_error(fmt::format("shape {} is invalid for an input of shape {} ({} elements)",
                            ir::text(wanted_shape(site)), ir::text(type.shape), total),
                site.where());
  };
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::int64_t& size : out) {
    if (size == -1 && !open) {
      open = &size;
    } else if (size < 0 || __builtin_mul_overflow(known, size, &known)) {
      fail();
    }
  }
  if (open) {
    if (known == 0 || total % known != 0) fail();
    *open = total / known;
  } else if (known != total) {
    fail();
  }
  type.shape = out;
  return type;
}

ValueType size_type(const Site& site) {
  const ir::Shape& shape = site.data().shape;
  const ir::Value dim = site.attribute("dim");
  if (!dim.is_none()) {
    if (shape.empty()) usage_error("a scalar has no dimensions", site.where());
    return ir::Value(shape[dimension(dim.as_int(), shape.size(), site.where())]);
  }
  ir::Tuple sizes;
  for (std::int64_t size : shape) sizes.items.emplace_back(size);
  return ir::Value(sizes);
}

}  // namespace

const Op kFlatten{
    .name = "flatten",
    .function_kind = Kind::ImplicitFunc,
    .layer = "Flatten",
    .functions = {"torch.flatten"},
    .method = "flatten",
    .arguments = {{.name = "data_in_0"}},
    // The layer keeps the batch; the function flattens everything unless told otherwise.
    .attributes = {{.field = {.name = "start_dim", .standard = 1}, .function_standard = 0},
                   {.field = {.name = "end_dim", .standard = -1}}},
    .infer = flatten_type,
    .cost = free_cost,
    .summary = "merges neighbouring dimensions into one",
};

const Op kView{
    .name = "view",
    .kind = Kind::ImplicitFunc,
    .method = "view",
    .arguments = {{.name = "data_in_0"}},
    .repeated_attribute = "shape",
    .infer = view_type,
    .cost = free_cost,
    .summary = "the same elements in another shape; one size may be -1",
};

const Op kReshape{
    .name = "reshape",
    .kind = Kind::ImplicitFunc,
    .functions = {"torch.reshape"},
    .method = "reshape",
    .arguments = {{.name = "data_in_0"}},
    .repeated_attribute = "shape",
    .infer = view_type,
    .cost = free_cost,
    .summary = "the same elements in another shape; one size may be -1",
};

const Op kSize{
    .name = "size",
    .kind = Kind::ImplicitFunc,
    .method = "size",
    .arguments = {{.name = "data_in_0"}},
    .attributes = {{.field = {.name = "dim", .standard = kOpen}}},
    .infer = size_type,
    .cost = [](const Site&, const ValueType&) -> std::optional<Cost> { return Cost{}; },
    .summary = "the size of a dimension, or of all",
};

}  // namespace mase::ops
