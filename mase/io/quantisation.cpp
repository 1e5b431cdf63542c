// Number formats to dictionaries and back. What comes back is foreign: nothing in it is believed
// before the format's row and the op's row have agreed.
#include "mase/io/quantisation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "mase/ops/op.h"
#include "mase/support/suggest.h"

namespace mase::io {
namespace {

using numerics::Overflow;
using numerics::Precision;
using numerics::Rounding;

constexpr std::array kRoundings = {Rounding::NearestEven, Rounding::NearestAway,
                                   Rounding::TowardZero, Rounding::Down, Rounding::Up};
constexpr std::array kOverflows = {Overflow::Saturate, Overflow::Wrap};

ir::Dict to_dict(const Precision& precision) {
  ir::Dict values;
  for (const auto& [name, value] : precision.values) values.emplace_back(name, value);
  return {{"format", precision.type()},
          {"values", std::move(values)},
          {"rounding", numerics::name(precision.rounding)},
          {"overflow", numerics::name(precision.overflow)}};
}

template <typename T>
const T* part(const ir::Value& value, std::string_view key) {
  const ir::Value* found = value.find(key);
  return found ? found->get<T>() : nullptr;
}

// Names of a foreign file are repeated in part: they may be of any length.
std::string cut(const std::string& name) {
  constexpr std::size_t kMost = 80;
  return name.size() <= kMost ? name : name.substr(0, kMost) + "...";
}

template <typename Enum, std::size_t N>
std::optional<Enum> by_name(const std::array<Enum, N>& all, const std::string* text) {
  for (const Enum item : all) {
    if (text && numerics::name(item) == *text) return item;
  }
  return std::nullopt;
}

Result<Precision> precision_from(const ir::Value& dict) {
  const auto* type = part<std::string>(dict, "format");
  const auto* values = part<ir::Dict>(dict, "values");
  const auto rounding = by_name(kRoundings, part<std::string>(dict, "rounding"));
  const auto overflow = by_name(kOverflows, part<std::string>(dict, "overflow"));
  if (!type || !values || !rounding || !overflow) {
    return ReadError{"a number format needs format, values, rounding and overflow", {}};
  }
  const numerics::Format* format = numerics::find_format(*type);
  if (!format) {
    return ReadError{fmt::format("this build has no number format '{}'", cut(*type)), {}};
  }
  numerics::Values numbers;
  for (const auto& [name, value] : *values) {
    const auto* number = value.get<std::int64_t>();
    if (!number) return ReadError{fmt::format("its {} is no whole number", cut(name)), {}};
    numbers[cut(name)] = *number;
  }
  try {
    Precision out = numerics::make_precision(*format, std::move(numbers));
    out.rounding = *rounding;
    out.overflow = *overflow;
    return out;
  } catch (const Error& error) {
    return ReadError{error.message(), {}};
  }
}

bool may_be_quantised(const ir::Node& node, std::string_view argument) {
  const ops::Op* op = ops::find_op_of(node);
  return op && std::find(op->quantisable.begin(), op->quantisable.end(), argument) !=
                   op->quantisable.end();
}

Status quantise_node(ir::Node& node, const ir::Value& entry) {
  const auto* op = part<std::string>(entry, "op");
  const auto* precision = part<ir::Dict>(entry, "precision");
  if (!op || !precision) return ReadError{"a quantised node needs op and precision", {}};
  if (*op != node.op) {
    return ReadError{
        fmt::format("it is '{}' in this network, '{}' in the checkpoint", node.op, cut(*op)), {}};
  }
  for (const auto& [argument, dict] : *precision) {
    if (!may_be_quantised(node, argument)) {
      return ReadError{
          fmt::format("the argument '{}' of {} cannot be quantised", cut(argument), cut(*op)), {}};
    }
    auto read = precision_from(dict);
    if (!read) return ReadError{fmt::format("{}: {}", cut(argument), read.error().message), {}};
    node.precision.emplace_back(argument, *std::move(read));
  }
  if (const auto* config = part<ir::Dict>(entry, "config")) node.quantisation = *config;
  ir::record_precision(node);
  return std::monostate{};
}

// The formats of a node by argument, as text; "integer(8, 4) nearest_even saturate".
std::string precision_text(const ir::Value* dict) {
  if (!dict) return "float";
  const auto read = precision_from(*dict);
  if (!read) return "damaged";
  return fmt::format("{} {} {}", read->text(), numerics::name(read->rounding),
                     numerics::name(read->overflow));
}

// Keys of both, those of `a` first.
std::vector<std::string> keys_of(const ir::Dict& a, const ir::Dict& b) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : a) keys.push_back(key);
  for (const auto& [key, value] : b) {
    if (!ir::find(a, key)) keys.push_back(key);
  }
  return keys;
}

ir::Dict arguments_of(const ir::Dict& quantisation, const std::string& node) {
  const ir::Value* entry = ir::find(quantisation, node);
  const auto* precision = entry ? part<ir::Dict>(*entry, "precision") : nullptr;
  return precision ? *precision : ir::Dict{};
}

std::vector<std::string> node_names(const ir::Graph& graph) {
  std::vector<std::string> names;
  for (const ir::Node& node : graph) names.push_back(node.name);
  return names;
}

}  // namespace

ir::Dict quantisation_of(const ir::Graph& graph) {
  ir::Dict out;
  for (const ir::Node& node : graph) {
    if (!node.is_quantised()) continue;
    ir::Dict precision;
    for (const auto& [argument, format] : node.precision) {
      if (!format.is_float()) precision.emplace_back(argument, to_dict(format));
    }
    out.emplace_back(node.name, ir::Dict{{"op", node.op},
                                         {"precision", std::move(precision)},
                                         {"config", node.quantisation}});
  }
  return out;
}

Result<ir::Graph> with_quantisation(ir::Graph graph, const ir::Dict& quantisation) {
  for (const auto& [name, entry] : quantisation) {
    const Location where{.node = cut(name)};
    ir::Node* node = graph.find_node(name);
    if (!node) {
      const std::string near = did_you_mean(name, node_names(graph));
      return ReadError{fmt::format("the network '{}' has no such node{}{}", graph.name,
                                   near.empty() ? "" : "; ", near),
                       where};
    }
    if (node->is_quantised()) return ReadError{"is quantised already", where};
    if (Status done = quantise_node(*node, entry); !done) {
      return ReadError{done.error().message, where};
    }
  }
  return graph;
}

std::vector<std::string> quantisation_differences(const ir::Dict& here, const ir::Dict& there) {
  std::vector<std::string> out;
  for (const std::string& node : keys_of(here, there)) {
    const ir::Dict mine = arguments_of(here, node);
    const ir::Dict theirs = arguments_of(there, node);
    for (const std::string& argument : keys_of(mine, theirs)) {
      const std::string a = precision_text(ir::find(mine, argument));
      const std::string b = precision_text(ir::find(theirs, argument));
      if (a == b) continue;
      out.push_back(
          fmt::format("node {}: {} is {} there, {} here", cut(node), cut(argument), b, a));
    }
  }
  return out;
}

std::string quantised_nodes_text(const ir::Dict& quantisation) {
  constexpr std::size_t kMost = 4;
  std::vector<std::string> names;
  for (const auto& [name, entry] : quantisation) {
    if (names.size() == kMost) {
      names.emplace_back("...");
      break;
    }
    names.push_back(cut(name));
  }
  return fmt::format("{} node{} ({})", quantisation.size(), quantisation.size() == 1 ? "" : "s",
                     fmt::join(names, ", "));
}

}  // namespace mase::io
