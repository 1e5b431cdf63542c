// Kernels that change shapes: flatten, view, reshape; and size, which gives plain integers.
#include <fmt/format.h>

#include "mase/engine/torch/kernels.h"
#include "mase/engine/torch/pch.h"

namespace mase::engine::torch_engine {
namespace {

void append(const ir::Value& value, std::vector<std::int64_t>& sizes) {
  if (const auto* tuple = value.get<ir::Tuple>()) {
    for (const ir::Value& item : tuple->items) append(item, sizes);
  } else if (const auto* size = value.get<std::int64_t>()) {
    sizes.push_back(*size);
  } else {
    throw Error(ErrorKind::RunFailed,
                fmt::format("a size must be a whole number, not {}", ir::repr(value)));
  }
}

std::vector<std::int64_t> sizes(const std::vector<Operand>& items, const Frame& frame) {
  std::vector<std::int64_t> out;
  for (const Operand& item : items) append(item.value(frame), out);
  return out;
}

}  // namespace

Kernel build_flatten(Site& site) {
  return [x = site.data(0), first = site.attribute("start_dim").as_int(),
          last = site.attribute("end_dim").as_int()](const Frame& f) -> Slot {
    return at::flatten(x(f), first, last);
  };
}

Kernel build_view(Site& site) {
  return [x = site.data(0), items = site.repeated()](const Frame& f) -> Slot {
    return x(f).view(sizes(items, f));
  };
}

Kernel build_reshape(Site& site) {
  return [x = site.data(0), items = site.repeated()](const Frame& f) -> Slot {
    return at::reshape(x(f), sizes(items, f));
  };
}

Kernel build_size(Site& site) {
  return [x = site.data(0), dim = site.attribute("dim")](const Frame& f) -> Slot {
    const at::Tensor in = x(f);
    if (!dim.is_none()) return ir::Value(static_cast<std::int64_t>(in.size(dim.as_int())));
    ir::Tuple all;
    for (std::int64_t size : in.sizes()) all.items.emplace_back(size);
    return ir::Value(std::move(all));
  };
}

}  // namespace mase::engine::torch_engine
