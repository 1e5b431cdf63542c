// From a graph to steps: every node becomes one, and so does every quantised edge.
#include "mase/engine/native/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "mase/engine/native/plan_fuse.h"
#include "mase/ir/format_state.h"
#include "mase/ops/op.h"
#include "mase/support/error.h"

namespace mase::engine::native {
namespace {

const std::set<std::string, std::less<>> kAliases = {"identity", "flatten", "view", "reshape"};
const std::set<std::string, std::less<>> kCovered = {
    "add",  "batch_norm1d", "batch_norm2d", "dropout", "hardtanh", "linear", "mul",
    "relu", "relu6",        "sigmoid",      "size",    "softmax",  "sub",    "tanh"};
constexpr std::int64_t kMostClasses = 255;  // labels are kept as bytes
constexpr std::int64_t kProbe = 3;          // batch size for shape inference

// A tile's samples at most, with room for the gap behind them; a vector's lanes at most.
static_assert(kMostFeatures * 2 * kTile <= std::int64_t{1} << 31);
static_assert(kMostWeights * 16 <= std::int64_t{1} << 31);

// Rows are samples, so a softmax must run along the features: dimension 1 of two.
bool softmax_over_features(const ir::Node& node) {
  const ir::Value* dim = node.attribute("dim");
  if (!dim) dim = ir::find(node.kwargs, "dim");
  if (!dim && node.kind != ir::NodeKind::CallModule && node.args.size() > 1) dim = &node.args[1];
  const auto* index = dim ? dim->get<std::int64_t>() : nullptr;
  return !index || *index == 1 || *index == -1;
}

bool is_batch_norm(const ir::Node& node) {
  return node.op == "batch_norm1d" || node.op == "batch_norm2d";
}

// Any number of rows may come, so the first size of a reshape must be left open or computed.
bool reshapes_any_batch(const ir::Node& node) {
  const ir::Value* first = node.args.size() > 1 ? &node.args[1] : ir::find(node.kwargs, "shape");
  if (first && first->is<ir::Tuple>()) {
    const auto& items = first->get<ir::Tuple>()->items;
    first = items.empty() ? nullptr : &items[0];
  } else if (first && first->is<ir::List>()) {
    first = first->as_list().empty() ? nullptr : &first->as_list()[0];
  }
  const auto* size = first ? first->get<std::int64_t>() : nullptr;
  return first && (!size || *size == -1);
}

std::string why_not_node(const ir::Graph& graph, const ir::Node& node) {
  if (node.kind == ir::NodeKind::Placeholder || node.kind == ir::NodeKind::Output) return "";
  if (!kAliases.contains(node.op) && !kCovered.contains(node.op) && !has_windows(node)) {
    return fmt::format("node {}: op '{}'", node.name, node.op.empty() ? node.target : node.op);
  }
  const ir::Parameter* weight = graph.parameter_of(node, "weight");
  if (weight && weight->value.size() > kMostWeights) {
    return fmt::format("node {}: {} weights, where LibTorch is the better choice (above {})",
                       node.name, weight->value.size(), kMostWeights);
  }
  if (has_windows(node)) return why_not_windows(node);
  if (node.op == "softmax" && !softmax_over_features(node)) {
    return fmt::format("node {}: softmax over the batch", node.name);
  }
  if ((node.op == "view" || node.op == "reshape") && !reshapes_any_batch(node)) {
    return fmt::format("node {}: {} to a fixed number of rows", node.name, node.op);
  }
  if (node.op == "add" || node.op == "sub" || node.op == "mul") {
    for (const std::string& input : node.inputs()) {
      if (graph.node(input).op == "size") {
        return fmt::format("node {}: arithmetic on sizes", node.name);
      }
    }
  }
  if (is_batch_norm(node)) {
    const ir::Value* track = node.attribute("track_running_stats");
    if (track && track->is<bool>() && !track->as_bool()) {
      return fmt::format("node {}: batch norm without running statistics", node.name);
    }
    const ir::Value* momentum = node.attribute("momentum");
    if (momentum && momentum->is_none()) return fmt::format("node {}: momentum is None", node.name);
    if (graph.parameter_of(node, "weight") && !graph.parameter_of(node, "bias")) {
      return fmt::format("node {}: batch norm with a weight and no bias", node.name);
    }
  }
  return "";
}

class Builder {
 public:
  explicit Builder(const ir::Graph& graph)
      : graph_(graph), types_(ops::infer_types(graph, kProbe)) {
    lay_out_parameters();
  }

  Plan build() {
    for (const ir::Node& node : graph_) add(node);
    choose_tile();
    return std::move(plan_);
  }

 private:
  void lay_out_parameters() {
    for (const ir::Parameter& parameter : graph_.parameters()) {
      if (parameter.is_buffer) {
        plan_.state_order.emplace_back(true, static_cast<int>(plan_.buffers.size()));
        plan_.buffers.push_back(parameter);
        continue;
      }
      plan_.state_order.emplace_back(false, static_cast<int>(plan_.parameters.size()));
      plan_.parameters.push_back(
          {parameter.name, parameter.value.shape(), plan_.flat_size, parameter.value.size()});
      plan_.flat_size += parameter.value.size();
    }
    plan_.flat_size = (plan_.flat_size + 15) / 16 * 16;
  }

  int parameter(const ir::Node& node, std::string_view argument) const {
    return parameter_index(fmt::format("{}.{}", node.target, argument));
  }

  int parameter_index(std::string_view name) const {
    for (std::size_t i = 0; i < plan_.parameters.size(); ++i) {
      if (plan_.parameters[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }

  int buffer(const ir::Node& node, std::string_view argument) const {
    const std::string name = fmt::format("{}.{}", node.target, argument);
    for (std::size_t i = 0; i < plan_.buffers.size(); ++i) {
      if (plan_.buffers[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }

  // Elements per sample of a node's result.
  int features(const ir::Node& node) const {
    const auto& type = std::get<ops::TensorType>(*ir::find(types_, node.name));
    const std::int64_t count = ir::element_count(type.shape) / kProbe;
    if (count > kMostFeatures) {
      unsupported(fmt::format("{} features, where LibTorch is the better choice (above {})", count,
                              kMostFeatures),
                  {.node = node.name}, "use --engine torch");
    }
    return static_cast<int>(count);
  }

  int new_value(int features, bool needs_gradient) {
    const int id = static_cast<int>(plan_.values.size());
    plan_.values.push_back({features, needs_gradient, id});
    return id;
  }

  int value_of(const ir::Value& argument) const {
    const auto* ref = argument.get<ir::NodeRef>();
    if (!ref) return -1;
    const auto found = values_.find(ref->name);
    return found == values_.end() ? -1 : found->second;
  }

  // The i-th data argument, by position, else by keyword.
  const ir::Value& operand(const ir::Node& node, std::size_t i) const {
    if (i < node.args.size()) return node.args[i];
    return node.kwargs.at(i - node.args.size()).second;
  }

  PlanStep& emit(const ir::Node& node, StepKind kind, int a, int features, bool own_parameters) {
    PlanStep step;
    step.kind = kind;
    step.node = node.name;
    step.a = a;
    step.out = new_value(features, own_parameters || plan_.values[a].needs_gradient);
    return plan_.steps.emplace_back(std::move(step));
  }

  // The value as the node's edge sees it: itself, or quantised.
  int on_edge(const ir::Node& node, std::string_view argument, int value) {
    const numerics::Precision* precision = node.precision_of(argument);
    if (!precision) return value;
    std::string key = fmt::format("{}/{}", value, precision->full_text());
    if (numerics::has_state(*precision)) key += ir::state_name(node, argument, "");
    const auto known = quantised_.find(key);
    if (known != quantised_.end()) return known->second;
    const std::optional<Grid> grid = grid_of(*precision);
    PlanStep& step = emit(node, grid ? StepKind::Pointwise : StepKind::Quantise, value,
                          plan_.values[value].features, numerics::has_state(*precision));
    step.quantise_out = grid;
    if (!grid) step.format = plan_format(node, argument, *precision);
    quantised_.emplace(std::move(key), step.out);
    return step.out;
  }

  PlanFormat plan_format(const ir::Node& node, std::string_view argument,
                         const numerics::Precision& precision) const {
    PlanFormat format{.precision = precision, .state = {}, .row = row_of(node, argument)};
    for (const numerics::StateRow& row : precision.format->state) {
      const std::string name = ir::state_name(node, argument, row.name);
      const int index = parameter_index(name);
      ir::Shape batch = format.row;
      batch.insert(batch.begin(), kProbe);
      const numerics::Edge edge = graph_.parameter_of(node, argument)
                                      ? numerics::parameter_edge(format.row)
                                      : numerics::data_edge(batch);
      if (index < 0 ||
          plan_.parameters[index].shape != precision.format->state_shape(precision, edge)) {
        unsupported(fmt::format("the parameter '{}' does not fit the format {} of {}", name,
                                precision.text(), argument),
                    {.node = node.name});
      }
      format.state.push_back(index);
    }
    return format;
  }

  // The shape of a parameter, or of a sample of what the node reads or gives.
  ir::Shape row_of(const ir::Node& node, std::string_view argument) const {
    if (const ir::Parameter* parameter = graph_.parameter_of(node, argument)) {
      return parameter->value.shape();
    }
    const ir::Shape batch =
        argument == ops::kResult
            ? std::get<ops::TensorType>(*ir::find(types_, node.name)).shape
            : ops::site_of(graph_, node, types_).data(argument.ends_with("_1") ? 1 : 0).shape;
    return {batch.begin() + 1, batch.end()};
  }

  void need_rows(const ir::Node& node, int value_features) const {
    const ops::Site site = ops::site_of(graph_, node, types_);
    if (site.data().shape.size() != 2 || site.data().shape[1] != value_features) {
      unsupported(fmt::format("the native engine runs layers on [batch, features], not on {}",
                              ir::text(site.data().shape)),
                  {.node = node.name}, "use --engine torch");
    }
  }

  std::optional<PlanFormat> parameter_format(const ir::Node& node,
                                             std::string_view argument) const {
    const numerics::Precision* precision = node.precision_of(argument);
    if (!precision || !graph_.parameter_of(node, argument)) return std::nullopt;
    return plan_format(node, argument, *precision);
  }

  void add(const ir::Node& node) {
    if (node.kind == ir::NodeKind::Placeholder) {
      record(node, new_value(features(node), false));
    } else if (node.kind == ir::NodeKind::Output) {
      plan_.result = value_of(node.args.at(0));
      record(node, plan_.result);
    } else if (kAliases.contains(node.op)) {
      record(node, value_of(operand(node, 0)));
    } else if (node.op == "linear") {
      add_linear(node);
    } else if (is_batch_norm(node)) {
      add_norm(node);
    } else if (has_windows(node)) {
      add_windows(node);
    } else if (node.op == "add" || node.op == "sub" || node.op == "mul") {
      add_binary(node);
    } else if (node.op != "size") {
      add_element_wise(node);
    }
  }

  void record(const ir::Node& node, int value) {
    value = on_edge(node, ops::kResult, value);
    values_[node.name] = value;
    plan_.value_of_node.emplace_back(node.name, value);
  }

  void add_linear(const ir::Node& node) {
    const int input = value_of(operand(node, 0));
    need_rows(node, plan_.values[input].features);
    const int a = on_edge(node, "data_in_0", input);
    PlanStep& step = emit(node, StepKind::Linear, a, features(node), true);
    step.weight = parameter(node, "weight");
    step.bias = parameter(node, "bias");
    step.weight_format = parameter_format(node, "weight");
    step.bias_format = parameter_format(node, "bias");
    record(node, step.out);
  }

  void add_windows(const ir::Node& node) {
    const int results = features(node);  // before any table is made
    PlanWindows windows = plan_windows(ops::site_of(graph_, node, types_));
    const bool convolution = node.op.starts_with("conv");
    const int a = on_edge(node, "data_in_0", value_of(operand(node, 0)));
    PlanStep& step = emit(node,
                          convolution                       ? StepKind::Convolution
                          : node.op.starts_with("max_pool") ? StepKind::MaxPool
                                                            : StepKind::AveragePool,
                          a, results, convolution);
    step.windows = static_cast<int>(plan_.windows.size());
    plan_.windows.push_back(std::move(windows));
    if (convolution) {
      step.weight = parameter(node, "weight");
      step.bias = parameter(node, "bias");
      step.weight_format = parameter_format(node, "weight");
      step.bias_format = parameter_format(node, "bias");
    }
    record(node, step.out);
  }

  void add_norm(const ir::Node& node) {
    const int a = value_of(operand(node, 0));
    const int channels = static_cast<int>(node.attribute("num_features")->as_int());
    PlanStep& step = emit(node, StepKind::Pointwise, a, plan_.values[a].features, true);
    step.norm = static_cast<int>(plan_.norms.size());
    plan_.norms.push_back({.channels = channels,
                           .area = plan_.values[a].features / channels,
                           .gain = parameter(node, "weight"),
                           .shift = parameter(node, "bias"),
                           .running_mean = buffer(node, "running_mean"),
                           .running_var = buffer(node, "running_var"),
                           .batches = buffer(node, "num_batches_tracked"),
                           .epsilon = node.attribute("eps")->as_number(),
                           .momentum = node.attribute("momentum")->as_number()});
    record(node, step.out);
  }

  void add_binary(const ir::Node& node) {
    const ir::Value& left = operand(node, 0);
    const ir::Value& right = operand(node, 1);
    int a = value_of(left);
    int b = value_of(right);
    if (a >= 0) a = on_edge(node, "data_in_0", a);
    if (b >= 0) b = on_edge(node, a >= 0 ? "data_in_1" : "data_in_0", b);
    if (a >= 0 && b >= 0) {
      const ops::Site site = ops::site_of(graph_, node, types_);
      if (site.data(0).shape != site.data(1).shape) {
        unsupported("the native engine does not stretch operands of different shapes",
                    {.node = node.name}, "use --engine torch");
      }
      PlanStep& step =
          emit(node, StepKind::Binary, a, plan_.values[a].features, plan_.values[b].needs_gradient);
      step.b = b;
      step.op = node.op == "add" ? '+' : node.op == "sub" ? '-' : '*';
      return record(node, step.out);
    }
    const bool number_first = a < 0;
    const int value = number_first ? b : a;
    const auto number = static_cast<float>((number_first ? left : right).as_number());
    PlanStep& step = emit(node, StepKind::Affine, value, plan_.values[value].features, false);
    if (node.op == "mul") {
      step.factor = number;
    } else if (node.op == "add") {
      step.offset = number;
    } else {
      step.factor = number_first ? -1.0f : 1.0f;
      step.offset = number_first ? number : -number;
    }
    record(node, step.out);
  }

  void add_element_wise(const ir::Node& node) {
    const int a = value_of(operand(node, 0));
    const std::string& op = node.op;
    if (op == "softmax") need_rows(node, plan_.values[a].features);
    const StepKind kind = op == "softmax"   ? StepKind::Softmax
                          : op == "dropout" ? StepKind::Dropout
                                            : StepKind::Pointwise;
    // An activation's own quantisation is part of its step, unless the format needs the span
    // kernel.
    const numerics::Precision* precision = node.precision_of("data_in_0");
    const std::optional<Grid> grid = precision ? grid_of(*precision) : std::nullopt;
    const int input = grid && kind == StepKind::Pointwise ? a : on_edge(node, "data_in_0", a);
    const ops::Site site = ops::site_of(graph_, node, types_);
    PlanStep& step = emit(node, kind, input, plan_.values[a].features, false);
    if (kind == StepKind::Pointwise) step.quantise_in = grid;
    if (op == "relu") step.activation = Activation::Relu;
    if (op == "sigmoid") step.activation = Activation::Sigmoid;
    if (op == "tanh") step.activation = Activation::Tanh;
    if (op == "relu6" || op == "hardtanh") {
      step.activation = Activation::Clamp;
      step.low = op == "relu6" ? 0 : static_cast<float>(site.attribute("min_val").as_number());
      step.high = op == "relu6" ? 6 : static_cast<float>(site.attribute("max_val").as_number());
    }
    if (op == "dropout") {
      step.p = site.attribute("p").as_number();
      step.position = graph_.index_of(node.name);
    }
    record(node, step.out);
  }

  // Images are large: a step's tile must find its input again in the second-level cache.
  void choose_tile() {
    if (plan_.windows.empty()) return;
    constexpr std::int64_t kFloats = 96 * 1024;  // read and written by one step
    std::int64_t most = 1;
    for (const PlanStep& step : plan_.steps) {
      most = std::max<std::int64_t>(
          most, plan_.values[step.a].features + plan_.values[step.out].features);
    }
    plan_.tile = static_cast<int>(std::clamp<std::int64_t>(kFloats / most / 16 * 16, 16, kTile));
    if (plan_.tile > kNarrowTile) return;
    for (PlanStep& step : plan_.steps) {
      if (step.kind != StepKind::Linear) continue;
      step.windows = static_cast<int>(plan_.windows.size());
      plan_.windows.push_back(
          dense_windows(plan_.values[step.a].features, plan_.values[step.out].features));
    }
  }

  const ir::Graph& graph_;
  ir::Named<ops::ValueType> types_;
  Plan plan_;
  std::map<std::string, int, std::less<>> values_;
  std::map<std::string, int> quantised_;
};

}  // namespace

std::optional<Grid> grid_of(const numerics::Precision& precision) {
  const std::optional<numerics::AffineGrid> grid = numerics::affine(precision);
  const std::optional<double> step = grid ? grid->binary_step() : std::nullopt;
  if (!step) return std::nullopt;
  return Grid{static_cast<float>(1.0 / *step), static_cast<float>(*step),
              static_cast<float>(grid->low), static_cast<float>(grid->high)};
}

namespace {

// Reasons that can be told from the nodes alone.
std::string why_not_nodes(const ir::Graph& graph) {
  if (graph.placeholders().size() != 1) return "it has other than one input";
  for (const ir::Node& node : graph) {
    if (std::string reason = why_not_node(graph, node); !reason.empty()) return reason;
    if (node.kind == ir::NodeKind::Output && !node.args.at(0).is<ir::NodeRef>()) {
      return "it returns something other than one tensor";
    }
  }
  for (const ir::Parameter& parameter : graph.parameters()) {
    if (!parameter.is_buffer && parameter.value.dtype() != ir::DType::Float32) {
      return fmt::format("parameter {} is not float32", parameter.name);
    }
  }
  return "";
}

}  // namespace

std::string why_not(const ir::Graph& graph) {
  try {
    make_plan(graph);
  } catch (const Error& error) {
    // Shapes that do not fit are a mistake, not a reason for another engine: compiling says so.
    if (error.kind() != ErrorKind::Unsupported) return "";
    return error.where().empty() ? error.message()
                                 : fmt::format("{}: {}", error.where().text(), error.message());
  }
  return "";
}

Plan make_plan(const ir::Graph& graph, bool fuse) {
  if (const std::string reason = why_not_nodes(graph); !reason.empty()) {
    unsupported(reason, {}, "use --engine torch");
  }
  Plan plan = Builder(graph).build();
  if (plan.values[plan.result].features > kMostClasses) {
    unsupported(fmt::format("the native engine tells up to {} classes apart", kMostClasses), {},
                "use --engine torch");
  }
  if (fuse) fuse_steps(plan);
  plan_gradients(plan);
  return plan;
}

}  // namespace mase::engine::native
