#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mase/engine/engine.h"
#include "mase/engine/torch/quantise.h"
#include "mase/ops/op.h"

// A graph compiled to a list of instructions over numbered slots: names are looked up here, once,
// and never in a step.
namespace mase::engine::torch_engine {

// The result of a node: a tensor, or a plain value (`size` gives integers) where it is undefined.
struct Slot {
  Slot() = default;
  Slot(at::Tensor t) : tensor(std::move(t)) {}
  Slot(ir::Value v) : value(std::move(v)) {}
  at::Tensor tensor;
  ir::Value value;
};

// What one run of a plan works on. Slot i belongs to node i of the graph.
struct Frame {
  std::vector<Slot> slots;
  std::span<const at::Tensor> parameters;  // parameters and buffers, order of the graph
  Mode mode = Mode::Eval;
  Precision precision = Precision::Float32;
  std::uint64_t seed = 0;
  std::uint64_t step = 0;

  // What products are computed in: bfloat16 in mixed precision, else as they come.
  at::Tensor for_product(at::Tensor t) const;
  // Inputs of normalisations and losses: never bfloat16.
  at::Tensor in_full(at::Tensor t) const;
};

// Where a kernel finds one of its arguments, and the number format of that edge.
class Operand {
 public:
  Operand() = default;  // absent: gives an undefined tensor
  static Operand slot(std::size_t index, EdgeFormat format = {});
  static Operand parameter(std::size_t index, EdgeFormat format = {});
  static Operand constant(ir::Value value);

  // The value as a tensor, rounded to the edge's format. A plain number becomes a scalar that does
  // not change the type of what it is combined with.
  at::Tensor operator()(const Frame& frame) const;
  // The plain value; None if the operand is a tensor.
  const ir::Value& value(const Frame& frame) const;
  bool is_plain(const Frame& frame) const;
  // The tensor itself, to be written to: running statistics.
  const at::Tensor& raw(const Frame& frame) const;
  bool absent() const { return kind_ == Kind::Absent; }

 private:
  enum class Kind { Absent, Slot, Parameter, Constant };
  Kind kind_ = Kind::Absent;
  std::size_t index_ = 0;
  EdgeFormat format_;
  ir::Value constant_;
};

using Kernel = std::function<Slot(const Frame&)>;

struct Instruction {
  std::size_t slot = 0;
  std::string node;  // for messages and captures
  Kernel run;
  std::vector<std::size_t> reads;    // slots of the data arguments in order, for captures
  std::vector<std::size_t> release;  // slots that nothing reads after this instruction
};

struct Plan {
  std::vector<Instruction> instructions;
  std::vector<std::size_t> placeholders;  // slots
  std::size_t output = 0;                 // slot
  std::size_t slots = 0;
};

// What a kernel's builder sees of its node. Every argument of the call must be asked for: one that
// no kernel looks at is an error rather than ignored.
class Site {
 public:
  Site(const ir::Graph& graph, std::size_t index, Instruction& instruction);

  const ir::Node& node() const { return node_; }
  std::uint64_t index() const { return index_; }
  Operand data(std::size_t i);               // the i-th data argument of the op's row
  Operand parameter(std::string_view name);  // absent if the layer has none of that name
  ir::Value attribute(std::string_view name);
  std::vector<Operand> repeated();  // positions after the data, tuples flattened
  // Arguments of the call that the builder did not ask for; "" if none.
  std::string unused() const;

 private:
  Operand operand(const ir::Value& value);
  void flatten(const ir::Value& value, std::vector<Operand>& out);

  const ir::Graph& graph_;
  const ir::Node& node_;
  const ops::Op& op_;
  ops::Site call_;
  std::size_t data_arguments_ = 0;
  std::size_t index_;
  Instruction& instruction_;
  std::vector<bool> used_;  // args, then kwargs
};

// One kernel per op that this engine has, sorted by the op's name (kernels_table.cpp).
struct KernelRow {
  std::string_view op;
  Kernel (*build)(Site&) = nullptr;
};
std::span<const KernelRow> kernels();

// Throws Error{Unsupported} at the first node that this engine cannot run.
Plan make_plan(const ir::Graph& graph);

// Called around each instruction; either may be empty.
struct Observer {
  std::function<void(const Instruction&, const Frame&)> before;
  std::function<void(const Instruction&, const Frame&)> after;
};
// Runs all instructions; the placeholders' slots are filled. Exceptions become Error{RunFailed}
// naming the node.
at::Tensor run(const Plan& plan, Frame& frame, const Observer& observer = {});

}  // namespace mase::engine::torch_engine
