// Sliding windows: how convolutions and poolings read their attributes, and how often a window
// fits. Sizes follow PyTorch, `padding=same` and `ceil_mode` included.
#include "mase/ops/window.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/ops/rules.h"

namespace mase::ops {
namespace {

std::vector<std::int64_t> sizes_or(const Site& site, std::string_view name, std::size_t rank,
                                   std::int64_t standard) {
  if (!find_attribute(op_of(site.node), name)) return std::vector<std::int64_t>(rank, standard);
  return sizes(site.attribute(name), rank);
}

}  // namespace

std::vector<std::int64_t> sizes(const ir::Value& value, std::size_t rank) {
  if (value.is<std::int64_t>()) return std::vector<std::int64_t>(rank, value.as_int());
  std::vector<std::int64_t> out;
  if (const auto* tuple = value.get<ir::Tuple>()) {
    for (const ir::Value& item : tuple->items) out.push_back(item.as_int());
  }
  out.resize(rank, 0);
  return out;
}

std::int64_t Window::positions(std::int64_t length) const {
  const std::int64_t room = length + before + after - dilation * (size - 1) - 1;
  if (room < 0 && !(ceil && room + stride - 1 >= 0)) return 0;
  std::int64_t out = (room + (ceil ? stride - 1 : 0)) / stride + 1;
  // The last position must begin within the input or the padding in front of it.
  if (ceil && (out - 1) * stride >= length + before) --out;
  return out;
}

std::vector<Window> windows_of(const Site& site) {
  const std::size_t rank = find_attribute(op_of(site.node), "kernel_size")->field.rank;
  const auto kernel = sizes(site.attribute("kernel_size"), rank);
  const auto stride = sizes(site.attribute("stride"), rank);
  const auto dilation = sizes_or(site, "dilation", rank, 1);
  const ir::Value padding = site.attribute("padding");
  const auto* text = padding.get<std::string>();
  const auto around = text ? std::vector<std::int64_t>(rank, 0) : sizes(padding, rank);
  const bool ceil =
      find_attribute(op_of(site.node), "ceil_mode") && site.attribute("ceil_mode").as_bool();
  std::vector<Window> out;
  for (std::size_t i = 0; i < rank; ++i) {
    Window window{kernel[i], stride[i], around[i], around[i], dilation[i], ceil};
    if (text && *text == "same") {
      if (stride[i] != 1) usage_error("padding=same goes with stride 1 only", site.where());
      window.before = dilation[i] * (kernel[i] - 1) / 2;
      window.after = dilation[i] * (kernel[i] - 1) - window.before;
    }
    out.push_back(window);
  }
  return out;
}

void slide(const std::vector<Window>& windows, ir::Shape& shape, const Location& where) {
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const Window& window = windows[i];
    std::int64_t& length = shape[shape.size() - windows.size() + i];
    const std::int64_t positions = window.positions(length);
    if (positions < 1) {
      const std::int64_t reach = window.dilation * (window.size - 1) + 1;
      usage_error(
          fmt::format("a window over {} entries does not fit an input of {} with padding {}", reach,
                      length, window.before),
          where);
    }
    length = positions;
  }
}

std::vector<std::int64_t> adaptive_sizes(const Site& site, const ir::Shape& input) {
  const std::size_t rank = find_attribute(op_of(site.node), "output_size")->field.rank;
  const ir::Value wanted = site.attribute("output_size");
  const auto* tuple = wanted.get<ir::Tuple>();
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < rank; ++i) {
    const ir::Value& size = tuple ? tuple->items[i] : wanted;
    out.push_back(size.is_none() ? input[input.size() - rank + i] : size.as_int());
  }
  return out;
}

}  // namespace mase::ops
