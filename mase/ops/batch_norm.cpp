// Batch norms: y = (x - mean) / sqrt(var + eps) * weight + bias per channel, over [N, C] or
// [N, C, L] (BatchNorm1d), [N, C, H, W] (BatchNorm2d); mean and variance are the batch's in
// training, the running ones otherwise (Ioffe and Szegedy 2015).
#include <fmt/format.h>

#include "mase/ops/rows.h"
#include "mase/ops/rules.h"

namespace mase::ops {
namespace {

ValueType batch_norm_type(const Site& site) {
  const TensorType& type = floating_input(site);
  const std::int64_t features = site.attribute("num_features").as_int();
  const std::size_t rank = type.shape.size();
  const bool images = op_of(site.node).name == "batch_norm2d";
  const bool fits = images ? rank == 4 : rank == 2 || rank == 3;
  if (!fits || type.shape[1] != features) {
    usage_error(fmt::format(fmt::runtime(images ? "BatchNorm2d({0}) reads [N, {0}, H, W], but its "
                                                  "input is {1}"
                                                : "BatchNorm1d({0}) reads [N, {0}] or [N, {0}, L], "
                                                  "but its input is {1}"),
                            features, ir::text(type.shape)),
                site.where());
  }
  return type;
}

// Four operations per element: subtract the mean, divide, scale, shift.
std::optional<Cost> batch_norm_cost(const Site& site, const ValueType& result) {
  const double n = elements(site.data());
  const double features = site.attribute("num_features").as_number();
  const double tensors = site.attribute("bias").as_bool() ? 2 : 1;
  return Cost{.total_parameters = site.attribute("affine").as_bool() ? tensors * features : 0,
              .computations = 4 * n,
              .backward_computations = 4 * n,
              .input_buffer_size = n,
              .output_buffer_size = elements(result)};
}

std::vector<ParameterSpec> batch_norm_parameters(const ir::Dict& attributes) {
  using Init = ParameterSpec::Init;
  const std::int64_t features = attributes[0].second.as_int();
  std::vector<ParameterSpec> specs;
  if (attributes[3].second.as_bool()) {
    specs.push_back({.name = "weight", .shape = {features}, .init = Init::Ones});
    if (attributes[5].second.as_bool()) specs.push_back({.name = "bias", .shape = {features}});
  }
  if (attributes[4].second.as_bool()) {
    specs.push_back({.name = "running_mean", .shape = {features}, .is_buffer = true});
    specs.push_back(
        {.name = "running_var", .shape = {features}, .init = Init::Ones, .is_buffer = true});
    specs.push_back(
        {.name = "num_batches_tracked", .shape = {}, .dtype = ir::DType::Int64, .is_buffer = true});
  }
  return specs;
}

std::vector<Argument> batch_norm_arguments() {
  return {{.name = "data_in_0"},
          {.name = "weight", .role = Role::OptionalParameter},
          {.name = "bias", .role = Role::OptionalParameter},
          {.name = "running_mean", .role = Role::Buffer},
          {.name = "running_var", .role = Role::Buffer},
          {.name = "num_batches_tracked", .role = Role::Buffer}};
}

std::vector<Attribute> batch_norm_attributes() {
  using Print = Attribute::Print;
  using Type = FieldType;
  return {
      {.field = {.name = "num_features", .low = 1, .high = 1 << 24}, .print = Print::Positional},
      {.field = {.name = "eps", .type = Type::Real, .standard = 1e-5, .low = 0}},
      {.field = {.name = "momentum",
                 .type = Type::Real,
                 .standard = 0.1,
                 .low = 0,
                 .high = 1,
                 .open = true}},
      {.field = {.name = "affine", .type = Type::Bool, .standard = true}},
      {.field = {.name = "track_running_stats", .type = Type::Bool, .standard = true}},
      // Of newer PyTorch, which prints it behind `affine`; the last here, so that texts of all
      // versions mean the same.
      {.field = {.name = "bias", .type = Type::Bool, .standard = true},
       .print = Print::WhenChanged,
       .by_name = true}};
}

}  // namespace

const Op kBatchNorm1d{
    .name = "batch_norm1d",
    .kind = Kind::Module,
    .layer = "BatchNorm1d",
    .arguments = batch_norm_arguments(),
    .attributes = batch_norm_attributes(),
    .infer = batch_norm_type,
    .cost = batch_norm_cost,
    .parameters = batch_norm_parameters,
    .summary = "normalises each feature over the batch, then scales and shifts it",
};

const Op kBatchNorm2d{
    .name = "batch_norm2d",
    .kind = Kind::Module,
    .layer = "BatchNorm2d",
    .arguments = batch_norm_arguments(),
    .attributes = batch_norm_attributes(),
    .infer = batch_norm_type,
    .cost = batch_norm_cost,
    .parameters = batch_norm_parameters,
    .summary = "normalises each channel over batch and image, then scales and shifts it",
};

}  // namespace mase::ops
