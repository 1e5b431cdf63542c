// Convolutions over one or two dimensions of space: x [N, C, L] or [N, C, H, W] (or one sample
// without N), weight [out, in / groups, kernel...], bias [out] (optional).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mase/ops/rows.h"
#include "mase/ops/rules.h"
#include "mase/ops/window.h"

namespace mase::ops {
namespace {

// Attributes in PyTorch's order, by which `parameters` finds them.
enum At { kIn, kOut, kKernel, kStride, kPadding, kDilation, kGroups, kBias, kPaddingMode };

std::size_t rank_of(const Site& site) {
  return op_of(site.node).name == "conv1d" ? 1 : 2;
}

void check_groups(std::int64_t in, std::int64_t out, std::int64_t groups, const Location& where) {
  for (const auto& [name, channels] : {std::pair("in_channels", in), {"out_channels", out}}) {
    if (channels % groups == 0) continue;
    usage_error(fmt::format("{} = {} does not divide into {} groups", name, channels, groups),
                where);
  }
}

ValueType conv_type(const Site& site) {
  TensorType type = floating_input(site);
  const std::size_t rank = rank_of(site);
  const std::int64_t in = site.attribute("in_channels").as_int();
  const std::int64_t out = site.attribute("out_channels").as_int();
  check_groups(in, out, site.attribute("groups").as_int(), site.where());
  const std::size_t dims = type.shape.size();
  if ((dims != rank + 1 && dims != rank + 2) || type.shape[dims - rank - 1] != in) {
    usage_error(fmt::format("{} reads [N, {}, {}], but its input is {}", op_of(site.node).layer, in,
                            rank == 1 ? "L" : "H, W", ir::text(type.shape)),
                site.where());
  }
  type.shape[dims - rank - 1] = out;
  slide(windows_of(site), type.shape, site.where());
  return type;
}

// The weights of a window over one channel.
double kernel_area(const Site& site) {
  double area = 1;
  for (std::int64_t size : sizes(site.attribute("kernel_size"), rank_of(site))) {
    area *= static_cast<double>(size);
  }
  return area;
}

// As MASE counts them: every output element costs a window of all input channels (whatever the
// groups), its bias nothing; the gradients twice a window per input element.
std::optional<Cost> conv_cost(const Site& site, const ValueType& result) {
  const double area = kernel_area(site);
  const double in = site.attribute("in_channels").as_number();
  const double n = elements(site.data());
  return Cost{.total_parameters = site.attribute("out_channels").as_number() * in /
                                  site.attribute("groups").as_number() * area,
              .computations = elements(result) * area * in,
              .backward_computations = 2 * n * area * in,
              .input_buffer_size = n,
              .output_buffer_size = elements(result)};
}

// An output element reads the channels of its group and adds its bias; backward each of its weights
// serves two gradients. Taps on padding count as any other.
std::optional<Cost> conv_exact_cost(const Site& site, const ValueType& result) {
  const double window = kernel_area(site) * site.attribute("in_channels").as_number() /
                        site.attribute("groups").as_number();
  const double n = elements(result);
  const double bias = site.attribute("bias").as_bool() ? 1 : 0;
  return Cost{.total_parameters = site.attribute("out_channels").as_number() * (window + bias),
              .computations = n * (window + bias),
              .backward_computations = n * (2 * window + bias),
              .input_buffer_size = elements(site.data()),
              .output_buffer_size = n};
}

std::vector<ParameterSpec> conv_parameters(const ir::Dict& attributes) {
  const std::int64_t in = attributes[kIn].second.as_int();
  const std::int64_t out = attributes[kOut].second.as_int();
  const std::int64_t groups = attributes[kGroups].second.as_int();
  check_groups(in, out, groups, {});
  ir::Shape shape{out, in / groups};
  std::int64_t fan_in = in / groups;
  for (const ir::Value& size : attributes[kKernel].second.get<ir::Tuple>()->items) {
    shape.push_back(size.as_int());
    fan_in *= size.as_int();
  }
  std::vector<ParameterSpec> specs{{.name = "weight",
                                    .shape = shape,
                                    .init = ParameterSpec::Init::UniformFanIn,
                                    .fan_in = fan_in}};
  if (attributes[kBias].second.as_bool()) {
    specs.push_back({.name = "bias",
                     .shape = {out},
                     .init = ParameterSpec::Init::BiasUniformFanIn,
                     .fan_in = fan_in});
  }
  return specs;
}

// Bounds that keep the sizes of parameters within 64 bits.
constexpr double kMostChannels = 1 << 20;
constexpr double kLargestKernel = 1 << 10;

// A size per dimension, `standard` in each; none must be given.
Attribute sizes_of(std::string_view name, std::size_t rank, std::optional<FieldValue> standard,
                   Attribute::Print print, double low) {
  return {.field = {.name = name,
                    .type = FieldType::List,
                    .standard = std::move(standard),
                    .low = low,
                    .high = kLargestKernel,
                    .rank = rank,
                    .one_for_all = true},
          .print = print,
          .repeated = true};
}

std::vector<Attribute> conv_attributes(std::size_t rank) {
  using Print = Attribute::Print;
  const auto channels = [](std::string_view name) {
    return Field{.name = name, .low = 1, .high = kMostChannels};
  };
  std::vector<Attribute> out{
      {.field = channels("in_channels"), .print = Print::Positional},
      {.field = channels("out_channels"), .print = Print::Positional},
      sizes_of("kernel_size", rank, std::nullopt, Print::Keyword, 1),
      sizes_of("stride", rank, 1, Print::Keyword, 1),
      sizes_of("padding", rank, 0, Print::WhenChanged, 0),
      sizes_of("dilation", rank, 1, Print::WhenChanged, 1),
      {.field = {.name = "groups", .standard = 1, .low = 1, .high = kMostChannels},
       .print = Print::WhenChanged},
      {.field = {.name = "bias", .type = FieldType::Bool, .standard = true},
       .print = Print::WhenChanged},
      {.field = {.name = "padding_mode",
                 .type = FieldType::Text,
                 .standard = "zeros",
                 .choices = {"zeros", "reflect", "replicate", "circular"}},
       .print = Print::WhenChanged}};
  out[kPadding].field.choices = {"valid", "same"};
  return out;
}

std::vector<Argument> conv_arguments() {
  return {{.name = "data_in_0"},
          {.name = "weight", .role = Role::Parameter},
          {.name = "bias", .role = Role::OptionalParameter}};
}

}  // namespace

const Op kConv1d{
    .name = "conv1d",
    .layer = "Conv1d",
    .arguments = conv_arguments(),
    .attributes = conv_attributes(1),
    .quantisable = {"data_in_0", "weight", "bias"},
    .prunable = true,
    .infer = conv_type,
    .cost = conv_cost,
    .exact_cost = conv_exact_cost,
    .parameters = conv_parameters,
    .summary = "weighted sums over a window that slides along a sequence",
};

const Op kConv2d{
    .name = "conv2d",
    .layer = "Conv2d",
    .arguments = conv_arguments(),
    .attributes = conv_attributes(2),
    .quantisable = {"data_in_0", "weight", "bias"},
    .prunable = true,
    .infer = conv_type,
    .cost = conv_cost,
    .exact_cost = conv_exact_cost,
    .parameters = conv_parameters,
    .summary = "weighted sums over a window that slides over an image",
};

}  // namespace mase::ops
