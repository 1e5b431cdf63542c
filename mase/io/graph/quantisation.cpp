// Number formats to dictionaries and back. What comes back is foreign: nothing in it is believed
// before the format's row and the op's row have agreed.
#include "mase/io/graph/quantisation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mase/ir/field_value.h"
#include "mase/ir/format_state.h"
#include "mase/ops/op.h"
#include "mase/support/suggest.h"

namespace mase::io {
namespace {

using numerics::Precision;

ir::Dict to_dict(const Precision& precision) {
  ir::Dict values;
  for (const auto& [name, value] : precision.values) values.emplace_back(name, ir::value_of(value));
  return {{"format", precision.type()}, {"values", std::move(values)}};
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

Result<Precision> precision_from(const ir::Value& dict) {
  const auto* type = part<std::string>(dict, "format");
  const auto* given = part<ir::Dict>(dict, "values");
  if (!type || !given) return ReadError{"a number format needs format and values", {}};
  if (*type == "float") return Precision{};
  if (!numerics::find_format(*type)) {
    return ReadError{fmt::format("this build has no number format '{}'", cut(*type)), {}};
  }
  numerics::Values values;
  for (const auto& [name, value] : *given) values[cut(name)] = ir::field_value(value);
  // Files of the first version keep these two beside the values.
  for (const char* key : {"rounding", "overflow"}) {
    if (const auto* text = part<std::string>(dict, key)) values[key] = cut(*text);
  }
  try {
    return numerics::make_precision(*type, std::move(values));
  } catch (const Error& error) {
    return ReadError{error.message(), {}};
  }
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
    if (!ops::may_be_quantised(node, argument)) {
      return ReadError{
          fmt::format("the argument '{}' of {} cannot be quantised", cut(argument), cut(*op)), {}};
    }
    auto read = precision_from(dict);
    if (!read) return ReadError{fmt::format("{}: {}", cut(argument), read.error().message), {}};
    node.precision.emplace_back(argument, *std::move(read));
  }
  ir::record_precision(node);
  return std::monostate{};
}

// The format of an argument; with everything that makes a difference if `full`.
std::string precision_text(const ir::Value* dict, bool full) {
  if (!dict) return "float";
  const auto read = precision_from(*dict);
  if (!read) return "damaged";
  return full ? read->full_text() : read->text();
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
    out.emplace_back(node.name, ir::Dict{{"op", node.op}, {"precision", std::move(precision)}});
  }
  return out;
}

Result<ir::Graph> with_quantisation(ir::Graph graph, const ir::Dict& quantisation,
                                    const ir::State& state) {
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
  try {
    ir::add_format_states(
        graph, {.known = [&](const std::string& name) { return ir::find(state, name); }});
  } catch (const Error& error) {
    return ReadError{error.message(), error.where()};
  }
  return graph;
}

std::vector<std::string> quantisation_differences(const ir::Dict& here, const ir::Dict& there) {
  std::vector<std::string> out;
  for (const std::string& node : keys_of(here, there)) {
    const ir::Dict mine = arguments_of(here, node);
    const ir::Dict theirs = arguments_of(there, node);
    for (const std::string& argument : keys_of(mine, theirs)) {
      const auto text = [&](const ir::Dict& arguments, bool full) {
        return precision_text(ir::find(arguments, argument), full);
      };
      if (text(mine, true) == text(theirs, true)) continue;
      const bool full = text(mine, false) == text(theirs, false);
      const std::string a = text(mine, full);
      const std::string b = text(theirs, full);
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
