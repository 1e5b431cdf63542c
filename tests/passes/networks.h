#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "mase/ops/op.h"
#include "mase/passes/transform/quantize.h"
#include "mase/support/random.h"

// Small networks for the tests of passes, and the configurations that most of them use.
namespace mase::passes {

// A chain of layers at <prefix>.0, <prefix>.1, ...
class NetworkBuilder {
 public:
  explicit NetworkBuilder(const std::string& name) : graph_(name, name) {
    graph_.add(
        {.name = "x", .kind = ir::NodeKind::Placeholder, .op = "placeholder", .target = "x"});
    last_ = "x";
  }
  NetworkBuilder& layer(std::string_view path, std::string_view text) {
    const ops::LayerText read = ops::parse_layer(text);
    last_ = ops::add_layer(graph_, *read.op, read.attributes, path, last_, random_).name;
    return *this;
  }
  NetworkBuilder& function(std::string_view target, std::vector<ir::Value> args) {
    last_ = graph_
                .add({.name = ir::parent_name(target).second,
                      .kind = ir::NodeKind::CallFunction,
                      .op = std::string(ops::find_function(target)->name),
                      .target = std::string(target),
                      .args = std::move(args)})
                .name;
    return *this;
  }
  NetworkBuilder& method(std::string_view target, std::vector<ir::Value> args) {
    last_ = graph_
                .add({.name = std::string(target),
                      .kind = ir::NodeKind::CallMethod,
                      .op = std::string(ops::find_method(target)->name),
                      .target = std::string(target),
                      .args = std::move(args)})
                .name;
    return *this;
  }
  ir::Graph done() {
    graph_.add({.name = "output",
                .kind = ir::NodeKind::Output,
                .op = "output",
                .target = "output",
                .args = {ir::NodeRef{last_}}});
    return graph_;
  }

 private:
  ir::Graph graph_;
  Random random_{0};
  std::string last_;
};

inline ir::Graph chain(std::string name, std::string_view prefix,
                       std::initializer_list<std::string_view> layers) {
  NetworkBuilder builder(std::move(name));
  int i = 0;
  for (std::string_view layer : layers) {
    builder.layer(std::string(prefix) + "." + std::to_string(i++), layer);
  }
  return builder.done();
}

inline ir::Graph jsc_tiny() {
  return chain("jsc-tiny", "seq_blocks",
               {"BatchNorm1d(16)", "ReLU(inplace=True)", "Linear(16, 5)", "ReLU(inplace=True)"});
}

inline ir::Graph jsc_toy() {
  return chain("jsc-toy", "seq_blocks",
               {"BatchNorm1d(16)", "ReLU(inplace=True)", "Linear(16, 8)", "BatchNorm1d(8)",
                "ReLU(inplace=True)", "Linear(8, 8)", "BatchNorm1d(8)", "ReLU(inplace=True)",
                "Linear(8, 5)", "BatchNorm1d(5)", "ReLU(inplace=True)"});
}

inline ir::Graph jsc_s() {
  return chain("jsc-s", "module_list",
               {"BatchNorm1d(16)", "ReLU()", "Linear(16, 64)", "BatchNorm1d(64)", "ReLU()",
                "Linear(64, 32)", "ReLU()", "Linear(32, 32)", "ReLU()", "Linear(32, 32)", "ReLU()",
                "Linear(32, 5)", "BatchNorm1d(5)", "ReLU()"});
}

// The students' network of 3,363 parameters.
inline ir::Graph jsc_10x() {
  return chain("jsc-10x", "seq_blocks",
               {"BatchNorm1d(16)", "ReLU(inplace=True)", "Linear(16, 60)", "BatchNorm1d(60)",
                "ReLU(inplace=True)", "Linear(60, 32)", "BatchNorm1d(32)", "ReLU(inplace=True)",
                "Linear(32, 5)", "BatchNorm1d(5)", "ReLU(inplace=True)"});
}

inline ir::Graph toy() {
  return NetworkBuilder("toy")
      .method("size", {ir::NodeRef{"x"}, 0})
      .method("view", {ir::NodeRef{"x"}, ir::NodeRef{"size"}, -1})
      .layer("seq_blocks.0", "Linear(4, 8)")
      .layer("seq_blocks.1", "ReLU()")
      .layer("seq_blocks.2", "Linear(8, 8)")
      .layer("seq_blocks.3", "ReLU()")
      .layer("seq_blocks.4", "Linear(8, 2)")
      .done();
}

inline ir::Graph toy_tiny() {
  return NetworkBuilder("toy_tiny")
      .method("size", {ir::NodeRef{"x"}, 0})
      .method("view", {ir::NodeRef{"x"}, ir::NodeRef{"size"}, -1})
      .layer("l1", "Linear(4, 2)")
      .layer("relu_1", "ReLU()")
      .done();
}

// {"name": "integer", "data_in_width": 8, ...} for the groups given.
inline ir::Dict integer_config(int width, int frac,
                               std::initializer_list<std::string_view> groups = {
                                   "data_in", "weight", "bias"}) {
  ir::Dict config{{"name", "integer"}};
  for (std::string_view group : groups) {
    config.emplace_back(std::string(group) + "_width", width);
    config.emplace_back(std::string(group) + "_frac_width", frac);
  }
  return config;
}

}  // namespace mase::passes
