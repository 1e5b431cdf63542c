// Quantised layers and functions of the original MASE: outputs, and gradients for a given upstream
// gradient, which the engine's interface does not let through.
#include <gtest/gtest.h>

#include <fstream>

#include <nlohmann/json.hpp>

#include "mase/engine/torch/convert.h"
#include "mase/engine/torch/pch.h"
#include "mase/engine/torch/plan.h"
#include "mase/io/arrays/npz.h"
#include "tests/engine/json_attribute.h"
#include "tests/engine/networks.h"
#include "tests/shared_data.h"

namespace mase::engine::torch_engine {
namespace {

using Json = nlohmann::json;

// "linear_fixed" -> "linear"; "" for ops that are not here yet, and for layers that the original
// has but its quantise pass never puts in (poolings).
std::string op_of_case(const Json& c) {
  const std::string name = c.value("layer", c.value("function", ""));
  const std::size_t end = name.rfind('_');
  const std::string format = end == std::string::npos ? "" : name.substr(end + 1);
  if (format != "integer" && format != "fixed") return "";
  const std::string op = name.substr(0, end);
  const ops::Op* row = ops::find_op(op);
  return row && !row->quantisable.empty() ? op : "";
}

numerics::Precision precision_of(const Json& config, const std::string& argument, bool is_signed) {
  return numerics::integer(config.at(argument + "_width"),
                           config.at(argument + "_frac_width").get<int>(), is_signed);
}

class LayerCase {
 public:
  LayerCase(const Json& c, const ir::State& arrays)
      : case_(c), arrays_(arrays), op_(op_of_case(c)) {
    graph_ = test::with_input();
    inputs_.push_back(leaf(case_.at("input0")));
    if (case_.contains("input1")) {
      graph_.add(
          {.name = "y", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "y"});
      inputs_.push_back(leaf(case_.at("input1")));
    }
    ir::Node node{.name = "layer", .op = op_, .args = {ir::NodeRef{"x"}}};
    if (case_.contains("layer")) {
      add_layer_parts(node);
    } else {
      node.kind = ir::NodeKind::CallFunction;
      node.target = ops::op_of(node).functions.front();
      if (inputs_.size() > 1) node.args.emplace_back(ir::NodeRef{"y"});
    }
    add_precision(node);
    graph_.add(std::move(node));
    test::finish(graph_, "layer");
  }

  void check() {
    const Plan plan = make_plan(graph_);
    Frame frame{
        .slots = std::vector<Slot>(plan.slots), .parameters = parameters_, .mode = Mode::Train};
    for (std::size_t i = 0; i < inputs_.size(); ++i) frame.slots[plan.placeholders[i]] = inputs_[i];
    const at::Tensor y = run(plan, frame);
    expect_near(y, case_.at("output"), 1e-6);
    torch::autograd::backward({y}, {borrow(array(case_.at("upstream")))});
    const Json& gradients = case_.at("grads");
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      expect_near(inputs_[i].grad(), gradients.at("input" + std::to_string(i)), 1e-5);
    }
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      expect_near(parameters_[i].grad(), gradients.at(names_[i]), 1e-5);
    }
  }

 private:
  void add_layer_parts(ir::Node& node) {
    node.kind = ir::NodeKind::CallModule;
    node.target = "layer";
    ir::Dict given;
    for (const auto& [key, value] : case_.at("constructor").items()) {
      given.emplace_back(key, test::attribute(value));
    }
    node.attributes = ops::complete_attributes(ops::op_of(node), given);
    if (!case_.contains("params")) return;
    for (const auto& [name, key] : case_.at("params").items()) {
      graph_.add_parameter({.name = "layer." + name, .value = array(key)});
      parameters_.push_back(leaf(key));
      names_.push_back(name);
    }
  }

  void add_precision(ir::Node& node) {
    const Json& config = case_.at("config");
    if (config.value("bypass", false)) return;
    const ops::Op& row = ops::op_of(node);
    for (std::string_view argument : row.quantisable) {
      const bool is_data = argument.starts_with("data_in");
      if (argument == "bias" && parameters_.size() < 2) continue;
      node.precision.emplace_back(argument,
                                  precision_of(config, is_data ? "data_in" : std::string(argument),
                                               !(is_data && row.unsigned_input)));
    }
  }

  const ir::Tensor& array(const Json& key) const {
    const ir::Tensor* found = ir::find(arrays_, key.get<std::string>());
    if (!found) throw std::runtime_error("no array " + key.get<std::string>());
    return *found;
  }
  at::Tensor leaf(const Json& key) const {
    return borrow(array(key)).clone().set_requires_grad(true);
  }
  void expect_near(const at::Tensor& ours, const Json& key, double tolerance) const {
    const at::Tensor expected = borrow(array(key));
    ASSERT_EQ(ours.sizes(), expected.sizes()) << key;
    EXPECT_TRUE(at::allclose(ours, expected, tolerance, tolerance)) << key;
  }

  const Json& case_;
  const ir::State& arrays_;
  std::string op_;
  ir::Graph graph_;
  std::vector<at::Tensor> inputs_;
  std::vector<at::Tensor> parameters_;
  std::vector<std::string> names_;
};

TEST(Layers, OutputsAndGradientsEqualTheOriginals) {
  MASE_NEEDS_SHARED_DATA("mase_runs/vectors/layers.npz");
  const auto folder = shared_data() / "mase_runs" / "vectors";
  const ir::State arrays = io::read_npz(folder / "layers.npz").or_throw();
  std::ifstream file(folder / "layers.json");
  const Json cases = Json::parse(file).at("cases");
  int checked = 0;
  for (const Json& c : cases) {
    if (op_of_case(c).empty() || c.contains("error") || !c.contains("output")) continue;
    SCOPED_TRACE(c.at("id"));
    LayerCase(c, arrays).check();
    ++checked;
  }
  EXPECT_GT(checked, 50);
}

}  // namespace
}  // namespace mase::engine::torch_engine
