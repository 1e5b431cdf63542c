// Linear: y = x W^T + b with x [..., in], W [out, in], b [out] (optional).
#include <fmt/format.h>

#include "mase/ops/rows.h"
#include "mase/ops/rules.h"

namespace mase::ops {
namespace {

ValueType linear_type(const Site& site) {
  TensorType type = floating_input(site);
  const std::int64_t in = site.attribute("in_features").as_int();
  if (type.shape.empty() || type.shape.back() != in) {
    usage_error(fmt::format("Linear reads {} features per row, but its input is {}", in,
                            ir::text(type.shape)),
                site.where());
  }
  type.shape.back() = site.attribute("out_features").as_int();
  return type;
}

// Multiplications (each with its addition) only, as MASE counts them: the bias is left out, of the
// parameters too, and the number of rows is a quotient, so that results print as 640.0.
std::optional<Cost> linear_cost(const Site& site, const ValueType& result) {
  const double in = site.attribute("in_features").as_number();
  const double out = site.attribute("out_features").as_number();
  const double n = elements(site.data());
  const double work = in * out * (n / in);
  return Cost{.total_parameters = in * out,
              .computations = work,
              .backward_computations = 2 * work,
              .input_buffer_size = n,
              .output_buffer_size = elements(result),
              .fractional = true};
}

// A bias is a parameter and an addition per output; backward there are the gradients of the input
// and of the weight, and the sums that are the bias's.
std::optional<Cost> linear_exact_cost(const Site& site, const ValueType& result) {
  const double in = site.attribute("in_features").as_number();
  const double out = site.attribute("out_features").as_number();
  const double n = elements(result);
  const double bias = site.attribute("bias").as_bool() ? 1 : 0;
  return Cost{.total_parameters = (in + bias) * out,
              .computations = n * (in + bias),
              .backward_computations = n * (2 * in + bias),
              .input_buffer_size = elements(site.data()),
              .output_buffer_size = n};
}

std::vector<ParameterSpec> linear_parameters(const ir::Dict& attributes) {
  const std::int64_t in = attributes[0].second.as_int();
  const std::int64_t out = attributes[1].second.as_int();
  std::vector<ParameterSpec> specs{{.name = "weight",
                                    .shape = {out, in},
                                    .init = ParameterSpec::Init::UniformFanIn,
                                    .fan_in = in}};
  if (attributes[2].second.as_bool()) {
    specs.push_back({.name = "bias",
                     .shape = {out},
                     .init = ParameterSpec::Init::BiasUniformFanIn,
                     .fan_in = in});
  }
  return specs;
}

}  // namespace

const Op kLinear{
    .name = "linear",
    .kind = Kind::ModuleRelatedFunc,
    .layer = "Linear",
    .arguments = {{.name = "data_in_0"},
                  {.name = "weight", .role = Role::Parameter},
                  {.name = "bias", .role = Role::OptionalParameter}},
    .attributes = {{.field = {.name = "in_features", .low = 1, .high = 1 << 24}},
                   {.field = {.name = "out_features", .low = 1, .high = 1 << 24}},
                   {.field = {.name = "bias", .type = FieldType::Bool, .standard = true}}},
    .quantisable = {"data_in_0", "weight", "bias"},
    .prunable = true,
    .infer = linear_type,
    .cost = linear_cost,
    .exact_cost = linear_exact_cost,
    .parameters = linear_parameters,
    .summary = "y = x W^T + b over the last dimension",
};

}  // namespace mase::ops
