#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mase/ir/graph.h"
#include "mase/support/error.h"
#include "mase/support/field.h"
#include "mase/support/random.h"

// An operation is one row: everything the rest of the library knows of it. Engines hold their
// kernels in tables of their own, keyed by the row's name.
namespace mase::ops {

// MASE's types of nodes (mase_type in the metadata).
enum class Kind {
  Module,             // a layer without a functional twin: batch_norm1d
  ModuleRelatedFunc,  // exists as layer and as function: linear, relu
  BuiltinFunc,        // arithmetic on tensors: add, matmul
  ImplicitFunc,       // reshapes and the like, not mapped to hardware: view, size
  Placeholder,
  GetAttr,
  Output,
};
std::string_view name(Kind kind);  // "module_related_func"

enum class Role {
  Data,               // a tensor input: data_in_0, data_in_1, ...
  Parameter,          // trained: weight
  OptionalParameter,  // trained, may be absent: bias
  Buffer,             // kept but not trained: running_mean
};

struct Argument {
  std::string_view name;  // "data_in_0", "weight"
  Role role = Role::Data;
  std::string_view formal = "input";  // of data: its keyword in calls of the function, "other"
  // The keys that a quantisation configuration has for it (<group>_width), if not those of its own
  // name without the number: the second operand of a product is quantised as a weight.
  std::string_view group = "";
};

// A layer attribute (Linear's in_features) or a function's configuration (flatten's start_dim).
// The order of the rows is the positional order of PyTorch's constructor or signature.
struct Attribute {
  enum class Print {
    Positional,   // BatchNorm1d(16, ...)
    Keyword,      // in_features=16
    WhenChanged,  // inplace=True only when not the default
    Never,
  };
  Field field;  // a size per dimension is a list, which the graph holds as a tuple: (5, 1)
  Print print = Print::Keyword;
  // The default of the function or method, where it differs from the layer's.
  std::optional<FieldValue> function_standard = std::nullopt;
  bool repeated = false;          // one size is kept as a tuple of it for every dimension
  bool by_name = false;           // never by position
  std::string_view same_as = "";  // absent or None, it is what that attribute is

  std::string_view name() const { return field.name; }
};

// What a value in the graph is: a tensor of some type, or a plain value (`size` gives an int).
using ir::TensorType;
using ValueType = std::variant<TensorType, ir::Value>;

// What the rules of an op see: the node, its parameters, and the types of what it reads, in the
// order of its args. Rules throw Error{Usage} at the node when shapes do not fit.
struct Site {
  const ir::Graph& graph;
  const ir::Node& node;
  std::vector<ValueType> args;                            // one per node.args
  std::vector<std::pair<std::string, ValueType>> kwargs;  // one per node.kwargs

  const TensorType& data(std::size_t i = 0) const;  // the i-th tensor among args, then kwargs
  // The i-th data argument of the row, by position or by its formal name: a tensor or, as in
  // `x + 2`, a plain value. Null if it was not given.
  const ValueType* operand(std::size_t i) const;
  // Attribute of a layer, or of a function by position or keyword, or the row's default.
  ir::Value attribute(std::string_view name) const;
  Location where() const;
};

// Work and storage of one call. A multiplication with the addition of its product is one
// computation.
struct Cost {
  double total_parameters = 0;
  double computations = 0;
  double backward_computations = 0;
  double input_buffer_size = 0;  // elements
  double output_buffer_size = 0;
  bool fractional = false;  // prints as 640.0 (Linear divides), totals then too
};

// A tensor that a fresh layer owns and how it is initialised.
struct ParameterSpec {
  enum class Init { Zeros, Ones, UniformFanIn, BiasUniformFanIn };
  std::string_view name;  // "weight"
  ir::Shape shape;
  ir::DType dtype = ir::DType::Float32;
  Init init = Init::Zeros;
  std::int64_t fan_in = 0;  // for the uniform ones: range +-1/sqrt(fan_in)
  bool is_buffer = false;
};

struct Op {
  std::string_view name;  // "linear"
  Kind kind = Kind::ModuleRelatedFunc;
  std::optional<Kind> function_kind = std::nullopt;  // of calls, if not `kind`
  std::string_view layer = "";                   // class name as call_module; "" = never a layer
  std::vector<std::string_view> functions = {};  // qualified names as call_function, first = ours
  std::string_view method = "";                  // name as call_method
  std::vector<Argument> arguments = {};
  std::vector<Attribute> attributes = {};
  // Names of the attributes in the order of a function's signature, where it is another one.
  std::vector<std::string_view> call_order = {};
  // Set if any number of values may follow the data: view's "shape" gives shape_0, shape_1, ...
  std::string_view repeated_attribute = "";
  std::vector<std::string_view> quantisable = {};  // arguments a number format may be put on
  bool unsigned_input = false;                     // relu: quantises its input as unsigned
  bool prunable = false;
  ValueType (*infer)(const Site&) = nullptr;
  // As MASE counts. Null = no rule.
  std::optional<Cost> (*cost)(const Site&, const ValueType& result) = nullptr;
  // What is really held and computed, where that is something else: biases, groups. Null = `cost`.
  std::optional<Cost> (*exact_cost)(const Site&, const ValueType& result) = nullptr;
  std::vector<ParameterSpec> (*parameters)(const ir::Dict& attributes) = nullptr;
  std::string_view summary = "";
};

// All ops, sorted by name (ops/table.cpp).
std::span<const Op* const> ops();
const Op* find_op(std::string_view name);           // null if there is none
const Op* find_layer(std::string_view class_name);  // by "Linear"
const Op* find_function(std::string_view qualified_name);
const Op* find_method(std::string_view method);
// The row of a node. Throws Error{Unsupported} naming the op and the nearest one.
const Op& op_of(const ir::Node& node);
// As above; null instead of an error, and for placeholders, get_attr and output.
const Op* find_op_of(const ir::Node& node);
// The result of a node whose inputs may be quantised may be, too: "data_out_0".
inline constexpr std::string_view kResult = "data_out_0";
bool may_be_quantised(const ir::Node& node, std::string_view argument);
// MASE's type of a node: of its row, or Placeholder, GetAttr, Output.
Kind kind_of(const ir::Node& node);

const Attribute* find_attribute(const Op& op, std::string_view name);  // null if there is none
std::vector<std::string> attribute_names(const Op& op);
// The default, which there must be, as a layer holds it.
ir::Value standard_of(const Attribute& attribute);
// The attribute that the i-th value behind the data of a call stands for; null beyond the last.
const Attribute* attribute_at(const Op& op, std::size_t i);

// The printed layer: "Linear(in_features=16, out_features=5, bias=True)", "LinearInteger(...)".
std::string print_layer(const ir::Node& node);
// The class name alone: "Linear", "LinearInteger"; for functions the function's name, for the rest
// the target: what the quantisation summary shows as a node's type.
std::string type_text(const ir::Node& node);
// Reads "Linear(16, 60)", "BatchNorm1d(60, eps=1e-3)", "ReLU()", "ReLU(inplace=True)": the op and
// its complete attributes. Throws Error{Usage} with what is wrong and the nearest name.
struct LayerText {
  const Op* op = nullptr;
  ir::Dict attributes;
};
LayerText parse_layer(std::string_view text, const Location& where = {});
// Attributes of a layer with defaults filled in, checked against the row.
ir::Dict complete_attributes(const Op& op, const ir::Dict& given, const Location& where = {});

// The type of every node's result, in execution order, given those of the placeholders (by name).
// Throws Error{Usage} at the first node whose inputs do not fit. The second form takes a batch of
// so many samples, of which the graph's inputs must be typed.
ir::Named<ValueType> infer_types(const ir::Graph& graph, const ir::Named<TensorType>& inputs);
ir::Named<ValueType> infer_types(const ir::Graph& graph, std::int64_t batch);
// Whether all inputs are typed.
bool is_typed(const ir::Graph& graph);
// Types the inputs that are not, from a tensor for each: batches, or, where the network does not
// read them as such, samples.
void type_inputs(ir::Graph& graph, std::span<const ir::Tensor> inputs);
// The Site of a node once all types are known.
Site site_of(const ir::Graph& graph, const ir::Node& node, const ir::Named<ValueType>& types);

// What a node was called with, named as in the metadata: tensors are data_in_0, data_in_1, ... in
// the order positional, then keyword; then plain values under their formal names ("other": 2,
// "start_dim": 1, "shape_0": 8), only those that were given. The object of a method call is not
// among them, nor are a layer's attributes.
struct CallArgument {
  std::string name;
  ValueType type;
  bool is_data() const { return std::holds_alternative<TensorType>(type); }
};
std::vector<CallArgument> call_arguments(const Site& site);

// Adds the parameters of a layer at a module path ("seq_blocks.2"), initialised as PyTorch does
// from the same generator state. Layers draw in the order in which they are added.
void add_parameters(ir::Graph& graph, const Op& op, const ir::Dict& attributes,
                    std::string_view path, Random& random);
// Adds a call_module node that reads the node `input`, and the layer's parameters.
ir::Node& add_layer(ir::Graph& graph, const Op& op, const ir::Dict& attributes,
                    std::string_view path, std::string_view input, Random& random);

}  // namespace mase::ops
