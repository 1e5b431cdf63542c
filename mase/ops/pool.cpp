// Pooling over one or two dimensions of space, channel by channel: the largest entry or the mean of
// a sliding window, or the mean of as many windows as the result has entries (adaptive).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mase/ops/rows.h"
#include "mase/ops/rules.h"
#include "mase/ops/window.h"

namespace mase::ops {
namespace {

std::size_t window_rank(const Site& site) {
  return op_of(site.node).name.ends_with("1d") ? 1 : 2;
}

// [N, C, space...] or, for one sample, [C, space...].
TensorType pool_input(const Site& site) {
  const TensorType& type = floating_input(site);
  const std::size_t rank = window_rank(site);
  if (type.shape.size() == rank + 1 || type.shape.size() == rank + 2) return type;
  usage_error(fmt::format("{} reads [N, C, {}], but its input is {}", site.node.op,
                          rank == 1 ? "L" : "H, W", ir::text(type.shape)),
              site.where());
}

ValueType pool_type(const Site& site) {
  TensorType type = pool_input(site);
  const std::vector<Window> windows = windows_of(site);
  for (const Window& window : windows) {
    if (2 * window.before <= window.size) continue;
    usage_error(
        fmt::format("padding {} is more than half of the window, {}", window.before, window.size),
        site.where());
  }
  slide(windows, type.shape, site.where());
  return type;
}

ValueType max_pool_type(const Site& site) {
  if (site.attribute("return_indices").as_bool()) {
    unsupported("return_indices=True: a pooling gives one tensor here", site.where());
  }
  return pool_type(site);
}

ValueType adaptive_type(const Site& site) {
  TensorType type = pool_input(site);
  const std::vector<std::int64_t> wanted = adaptive_sizes(site, type.shape);
  std::copy(wanted.begin(), wanted.end(),
            type.shape.end() - static_cast<std::ptrdiff_t>(wanted.size()));
  return type;
}

double window_size(const Site& site) {
  double window = 1;
  for (std::int64_t size : sizes(site.attribute("kernel_size"), window_rank(site))) {
    window *= static_cast<double>(size);
  }
  return window;
}

// One operation per entry of each window; backward, as MASE counts it, a window per input element.
std::optional<Cost> pool_cost(const Site& site, const ValueType& result) {
  const double window = window_size(site);
  const double n = elements(site.data());
  return Cost{.computations = elements(result) * window,
              .backward_computations = n * window,
              .input_buffer_size = n,
              .output_buffer_size = elements(result)};
}

// Backward, a mean hands its gradient to every entry of its window, a maximum to one.
std::optional<Cost> average_exact_cost(const Site& site, const ValueType& result) {
  std::optional<Cost> cost = pool_cost(site, result);
  cost->backward_computations = cost->computations;
  return cost;
}

std::optional<Cost> maximum_exact_cost(const Site& site, const ValueType& result) {
  std::optional<Cost> cost = pool_cost(site, result);
  cost->backward_computations = elements(result);
  return cost;
}

constexpr double kLargestWindow = 1 << 20;

// Average pooling over a sequence keeps all of its sizes as tuples, the others as they are given.
Attribute window_attribute(std::string_view name, std::size_t rank, bool repeated, double low,
                           std::optional<FieldValue> standard = std::nullopt) {
  return {.field = {.name = name,
                    .type = FieldType::List,
                    .standard = std::move(standard),
                    .low = low,
                    .high = kLargestWindow,
                    .rank = rank,
                    .one_for_all = true},
          .repeated = repeated};
}

Attribute stride_attribute(std::size_t rank, bool repeated) {
  Attribute stride = window_attribute("stride", rank, repeated, 1, kOpen);
  stride.same_as = "kernel_size";
  return stride;
}

Attribute flag(std::string_view name, bool standard, Attribute::Print print) {
  return {.field = {.name = name, .type = FieldType::Bool, .standard = standard}, .print = print};
}

std::vector<Attribute> max_attributes(std::size_t rank) {
  return {window_attribute("kernel_size", rank, false, 1),
          stride_attribute(rank, false),
          window_attribute("padding", rank, false, 0, 0),
          window_attribute("dilation", rank, false, 1, 1),
          flag("return_indices", false, Attribute::Print::Never),
          flag("ceil_mode", false, Attribute::Print::Keyword)};
}

std::vector<Attribute> average_attributes(std::size_t rank) {
  const bool tuples = rank == 1;
  std::vector<Attribute> out{window_attribute("kernel_size", rank, tuples, 1),
                             stride_attribute(rank, tuples),
                             window_attribute("padding", rank, tuples, 0, 0),
                             flag("ceil_mode", false, Attribute::Print::Never),
                             flag("count_include_pad", true, Attribute::Print::Never)};
  if (rank == 2) {
    out.push_back({.field = {.name = "divisor_override", .standard = kOpen, .low = 1},
                   .print = Attribute::Print::Never});
  }
  return out;
}

std::vector<Attribute> adaptive_attributes(std::size_t rank) {
  Attribute size = window_attribute("output_size", rank, false, 1);
  size.field.open = true;
  return {size};
}

const std::vector<std::string_view> kMaxCallOrder = {"kernel_size", "stride",    "padding",
                                                     "dilation",    "ceil_mode", "return_indices"};

}  // namespace

const Op kMaxPool1d{
    .name = "max_pool1d",
    .layer = "MaxPool1d",
    .functions = {"torch.nn.functional.max_pool1d", "torch.max_pool1d"},
    .arguments = {{.name = "data_in_0"}},
    .attributes = max_attributes(1),
    .call_order = kMaxCallOrder,
    .infer = max_pool_type,
    .cost = pool_cost,
    .exact_cost = maximum_exact_cost,
    .summary = "the largest entry of a window that slides along a sequence",
};

const Op kMaxPool2d{
    .name = "max_pool2d",
    .layer = "MaxPool2d",
    .functions = {"torch.nn.functional.max_pool2d", "torch.max_pool2d"},
    .arguments = {{.name = "data_in_0"}},
    .attributes = max_attributes(2),
    .call_order = kMaxCallOrder,
    .infer = max_pool_type,
    .cost = pool_cost,
    .exact_cost = maximum_exact_cost,
    .summary = "the largest entry of a window that slides over an image",
};

const Op kAvgPool1d{
    .name = "avg_pool1d",
    .layer = "AvgPool1d",
    .functions = {"torch.avg_pool1d", "torch.nn.functional.avg_pool1d"},
    .arguments = {{.name = "data_in_0"}},
    .attributes = average_attributes(1),
    .infer = pool_type,
    .cost = pool_cost,
    .exact_cost = average_exact_cost,
    .summary = "the mean of a window that slides along a sequence",
};

const Op kAvgPool2d{
    .name = "avg_pool2d",
    .layer = "AvgPool2d",
    .functions = {"torch.nn.functional.avg_pool2d", "torch._C._nn.avg_pool2d"},
    .arguments = {{.name = "data_in_0"}},
    .attributes = average_attributes(2),
    .infer = pool_type,
    .cost = pool_cost,
    .exact_cost = average_exact_cost,
    .summary = "the mean of a window that slides over an image",
};

const Op kAdaptiveAvgPool1d{
    .name = "adaptive_avg_pool1d",
    .layer = "AdaptiveAvgPool1d",
    .functions = {"torch.adaptive_avg_pool1d", "torch.nn.functional.adaptive_avg_pool1d"},
    .arguments = {{.name = "data_in_0"}},
    .attributes = adaptive_attributes(1),
    .infer = adaptive_type,
    .cost = per_element_cost,
    .summary = "means over as many windows of a sequence as the result has entries",
};

const Op kAdaptiveAvgPool2d{
    .name = "adaptive_avg_pool2d",
    .layer = "AdaptiveAvgPool2d",
    .functions = {"torch.nn.functional.adaptive_avg_pool2d"},
    .arguments = {{.name = "data_in_0"}},
    .attributes = adaptive_attributes(2),
    .infer = adaptive_type,
    .cost = per_element_cost,
    .summary = "means over as many windows of an image as the result has entries",
};

}  // namespace mase::ops
