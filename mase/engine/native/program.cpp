// The Program interface over plan and executor: parameters in and out, batches, optimiser.
#include "mase/engine/native/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mase/engine/native/flush_denormals.h"
#include "mase/ops/op.h"
#include "mase/support/error.h"

namespace mase::engine::native {
namespace {

// Forward passes keep whole batches in memory: longer inputs go through in pieces of so many rows,
// or fewer where they take more than so many floats.
constexpr std::int64_t kForwardRows = 4096;
constexpr std::int64_t kForwardFloats = 1 << 23;

std::int64_t forward_rows(const Plan& plan) {
  std::int64_t floats = 1;
  for (const PlanValue& value : plan.values) floats += value.features;
  return std::clamp<std::int64_t>(kForwardFloats / floats / plan.tile * plan.tile, plan.tile,
                                  kForwardRows);
}

ir::Shape sample_shape(const ir::Tensor& features) {
  return {features.shape().begin() + 1, features.shape().end()};
}

ir::Shape with_batch(const ir::Shape& row) {
  ir::Shape shape{1};
  shape.insert(shape.end(), row.begin(), row.end());
  return shape;
}

// Layers that count dimensions from the front read something else where the batch is missing.
bool counts_dimensions(const ir::Node& node) {
  return node.op.starts_with("batch_norm") || node.op.find("softmax") != std::string::npos;
}

// base^exponent by squaring. (std::pow differs between processors in the last bit.)
double power(double base, std::int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return result;
}

// The value of a `size` node: the shape, or one of its entries.
ir::Value size_result(const ir::Node& node, const ir::Tensor& input) {
  const ir::Value* dim = node.args.size() > 1 ? &node.args[1] : nullptr;
  if (!dim) return ir::Value::list(input.shape());
  const std::int64_t rank = static_cast<std::int64_t>(input.shape().size());
  const std::int64_t at = dim->as_int() < 0 ? dim->as_int() + rank : dim->as_int();
  return input.dim(static_cast<std::size_t>(at));
}

ir::Tensor as_float(const ir::Tensor& tensor) {
  return tensor.to(ir::DType::Float32);
}

}  // namespace

NativeProgram::NativeProgram(const ir::Graph& graph, const ProgramOptions& options,
                             const Kernels& kernels, const IntegerOptions& integer)
    : graph_(graph),
      options_(options),
      kernels_(kernels),
      integer_(integer),
      plan_(make_plan(graph_)),
      sample_(graph_.node(graph_.placeholders().at(0)).type->shape),
      executor_(plan_, kernels_, options_.seed, integer_) {
  std::int64_t size = 0;
  for (const ir::Parameter& parameter : graph.parameters()) {
    if (!parameter.is_buffer) size += parameter.value.size();
  }
  for (FloatArray* array : {&weights_.flat, &gradient_, &first_moment_, &second_moment_}) {
    array->resize((size + 15) / 16 * 16);
  }
  std::size_t buffers = 0;
  for (const ir::Parameter& parameter : graph.parameters()) buffers += parameter.is_buffer;
  weights_.buffers.resize(buffers);
  weights_.counts.resize(buffers, 0);
  load_state(graph.state());
}

// Layers that count dimensions would take the channels of an image for something else.
ir::Tensor NativeProgram::batch_of(const ir::Tensor& input) const {
  const ir::Shape& shape = input.shape();
  if (shape == sample_) {
    if (shape.size() < 2 || std::none_of(graph_.begin(), graph_.end(), counts_dimensions)) {
      return input.reshaped(with_batch(shape));
    }
  } else if (!shape.empty() && sample_shape(input) == sample_) {
    return input;
  }
  refuse(input);
}

void NativeProgram::refuse(const ir::Tensor& input) const {
  types_for(input);  // where a layer cannot read it, it says so
  usage_error(fmt::format("the network reads batches of {}, but {} is given", ir::text(sample_),
                          ir::text(input.shape())),
              {.node = graph_.placeholders().at(0)},
              input.shape() == sample_ ? "put a batch of one in front" : "");
}

void NativeProgram::take_labels(const ir::Tensor& labels) {
  if (labels_of_.data() == labels.data() && labels_of_.size() == labels.size()) return;
  labels_of_ = {};
  const int classes = plan_.values[plan_.result].features;
  labels_.resize(static_cast<std::size_t>(labels.size()));
  const auto from = labels.values<std::int64_t>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] < 0 || from[i] >= classes) {
      throw Error(ErrorKind::RunFailed,
                  fmt::format("label {} of row {} is not a class: the network tells {} apart",
                              from[i], i, classes));
    }
    labels_[i] = static_cast<std::uint8_t>(from[i]);
  }
  labels_of_ = labels;
}

Rows NativeProgram::rows_of(const Batch& batch) {
  if (sample_shape(*batch.features) != sample_) refuse(*batch.features);
  take_labels(*batch.labels);
  return {batch.features->values<float>().data(), labels_.data(), batch.rows, batch.next_rows};
}

BatchResult NativeProgram::train_step(const Batch& batch, const StepOptions& options) {
  const FlushDenormals flush;
  const Rows rows = rows_of(batch);
  const BatchResult result = executor_.train(weights_, gradient_.data(), rows,
                                             static_cast<float>(options.scale), options.step);
  if (!std::isfinite(result.loss)) {
    std::fill_n(gradient_.data(), gradient_.size(), 0.0f);
  } else if (options.update) {
    executor_.finish_gradients(weights_, gradient_.data());
    update();
  }
  return result;
}

void NativeProgram::update() {
  const OptimiserOptions& o = optimiser_;
  ++updates_;
  ++weights_.version;
  if (o.kind == OptimiserKind::Sgd) {
    const SgdStep step{.rate = static_cast<float>(rate_),
                       .momentum = static_cast<float>(o.momentum),
                       .weight_decay = static_cast<float>(o.weight_decay),
                       .nesterov = o.nesterov,
                       .first = updates_ == 1};
    return kernels_.sgd(step, weights_.flat.data(), gradient_.data(), first_moment_.data(),
                        weights_.flat.size());
  }
  const bool decoupled = o.kind == OptimiserKind::AdamW;
  const AdamStep step{
      .rate = static_cast<float>(rate_ / (1.0 - power(o.beta1, updates_))),
      .root_correction = static_cast<float>(1.0 / std::sqrt(1.0 - power(o.beta2, updates_))),
      .epsilon = static_cast<float>(o.epsilon),
      .beta1 = static_cast<float>(o.beta1),
      .beta2 = static_cast<float>(o.beta2),
      .one_minus_beta1 = static_cast<float>(1.0 - o.beta1),
      .one_minus_beta2 = static_cast<float>(1.0 - o.beta2),
      .weight_decay = decoupled ? 0.0f : static_cast<float>(o.weight_decay),
      .keep = decoupled ? static_cast<float>(1.0 - rate_ * o.weight_decay) : 1.0f};
  kernels_.adam(step, weights_.flat.data(), gradient_.data(), first_moment_.data(),
                second_moment_.data(), weights_.flat.size());
}

BatchResult NativeProgram::evaluate(const Batch& batch) {
  const FlushDenormals flush;
  const Rows rows = rows_of(batch);
  return executor_.evaluate(weights_, rows);
}

void NativeProgram::set_optimiser(const OptimiserOptions& options) {
  optimiser_ = options;
  rate_ = options.learning_rate;
  updates_ = 0;
  first_moment_.resize(first_moment_.size());
  second_moment_.resize(second_moment_.size());
  gradient_.resize(gradient_.size());
}

void NativeProgram::set_learning_rate(double rate) {
  rate_ = rate;
}

ir::Tensor NativeProgram::forward(std::span<const ir::Tensor> inputs, Mode mode,
                                  std::uint64_t step) {
  const FlushDenormals flush;
  const ir::Tensor given = as_float(inputs[0]);
  const ir::Tensor input = batch_of(given);
  const ir::Shape result = std::get<ops::TensorType>(types_for(given).back().second).shape;
  const std::int64_t count = input.dim(0);
  const int width = plan_.values[plan_.result].features;
  ir::Tensor out({count, width}, ir::DType::Float32);
  float* to = out.values_mut<float>().data();
  std::vector<std::uint32_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0u);
  // In training mode batch norm sees the whole batch at once.
  const std::int64_t piece =
      mode == Mode::Train ? std::max<std::int64_t>(count, 1) : forward_rows(plan_);
  for (std::int64_t first = 0; first < count; first += piece) {
    const auto size = static_cast<std::size_t>(std::min(piece, count - first));
    const Rows rows{.table = input.values<float>().data(),
                    .rows = std::span(order).subspan(static_cast<std::size_t>(first), size)};
    float* const target = to + first * width;
    executor_.forward(weights_, rows, mode, step, {&plan_.result, 1}, {&target, 1});
  }
  return out.reshaped(result);
}

// The integers are decided on by an evaluation.
std::string NativeProgram::explain() {
  const ir::Tensor one(with_batch(sample_), ir::DType::Float32);
  forward({&one, 1}, Mode::Eval, 0);
  return executor_.explain();
}

ir::Named<ops::ValueType> NativeProgram::types_for(const ir::Tensor& input) const {
  return ops::infer_types(
      graph_, {{graph_.placeholders().at(0), ops::TensorType{input.shape(), input.dtype()}}});
}

ir::Named<ir::Value> NativeProgram::capture_results(std::span<const ir::Tensor> inputs, Mode mode) {
  const FlushDenormals flush;
  const ir::Tensor given = as_float(inputs[0]);
  const ir::Tensor input = batch_of(given);
  const ir::Named<ops::ValueType> types = types_for(given);
  // Without fusion every node has a value of its own. The weights are a copy: running statistics
  // move in it, not here.
  const Plan plan = make_plan(graph_, false);
  NativeProgram copy(graph_, options_, kernels_);
  copy.load_state(state());
  Executor executor(plan, kernels_, options_.seed);
  const std::int64_t count = input.dim(0);
  std::vector<std::uint32_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0u);
  std::vector<int> values;
  std::vector<ir::Tensor> tensors;
  for (const auto& [name, value] : plan.value_of_node) {
    values.push_back(value);
    tensors.emplace_back(ir::Shape{count, plan.values[value].features}, ir::DType::Float32);
  }
  std::vector<float*> targets;
  for (ir::Tensor& tensor : tensors) targets.push_back(tensor.values_mut<float>().data());
  executor.forward(copy.weights_, {.table = input.values<float>().data(), .rows = order}, mode, 0,
                   values, targets);
  // The plan knows samples as flat rows; callers see the shapes of the graph.
  ir::Named<ir::Value> out;
  std::size_t next = 0;
  for (const ir::Node& node : graph_) {
    if (node.op == "size") {
      out.emplace_back(node.name, size_result(node, given));
      continue;
    }
    ir::Tensor tensor = tensors[next++];
    if (node.kind == ir::NodeKind::Placeholder) tensor = given;
    const auto& type = std::get<ops::TensorType>(*ir::find(types, node.name));
    out.emplace_back(node.name, tensor.reshaped(type.shape));
  }
  return out;
}

ir::Named<std::vector<ir::Tensor>> NativeProgram::capture_inputs(std::span<const ir::Tensor> inputs,
                                                                 std::span<const std::string> nodes,
                                                                 Mode mode) {
  const ir::Named<ir::Value> results = capture_results(inputs, mode);
  ir::Named<std::vector<ir::Tensor>> out;
  for (const std::string& name : nodes) {
    std::vector<ir::Tensor> tensors;
    const auto take = [&](const ir::NodeRef& ref) {
      const ir::Value* value = ir::find(results, ref.name);
      const auto* tensor = value ? value->get<ir::Tensor>() : nullptr;
      if (tensor) tensors.push_back(*tensor);
    };
    const ir::Node& node = graph_.node(name);
    for (const ir::Value& argument : node.args) ir::for_each_node_ref(argument, take);
    for (const auto& [key, argument] : node.kwargs) ir::for_each_node_ref(argument, take);
    out.emplace_back(name, std::move(tensors));
  }
  return out;
}

ir::State NativeProgram::gradients(const Batch& batch) {
  const FlushDenormals flush;
  const Rows rows = rows_of(batch);
  NativeProgram copy(graph_, options_, kernels_);
  copy.load_state(state());
  executor_.train(copy.weights_, copy.gradient_.data(), rows, 1.0f, 0);
  executor_.finish_gradients(copy.weights_, copy.gradient_.data());
  ir::State out;
  for (const PlanParameter& parameter : plan_.parameters) {
    out.emplace_back(parameter.name, tensor_of(copy.gradient_.data(), parameter));
  }
  return out;
}

}  // namespace mase::engine::native
