// The keys of a quantisation, checked against the rows of the number formats and of the ops, so
// that a new format or op brings its keys with it.
#include "mase/passes/transform/quantize_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "mase/support/suggest.h"

namespace mase::passes {
namespace {

using numerics::Overflow;
using numerics::Rounding;

constexpr std::array kRoundings = {Rounding::NearestEven, Rounding::NearestAway,
                                   Rounding::TowardZero, Rounding::Down, Rounding::Up};
constexpr std::array kOverflows = {Overflow::Saturate, Overflow::Wrap};

// A user may write true, 1 or "NA"; anything else is no value of a format parameter.
std::optional<std::int64_t> whole_number(const ir::Value& value) {
  if (const auto* b = value.get<bool>()) return *b ? 1 : 0;
  if (const auto* i = value.get<std::int64_t>()) return *i;
  return std::nullopt;
}

bool must_be_given(const numerics::Parameter& parameter) {
  return !parameter.standard && !parameter.optional;
}

class Reader {
 public:
  Reader(const ir::Dict& config, const Location& where, const KeyPlaces& places, Diagnostics& out)
      : config_(config), where_(where), places_(places), out_(out) {}

  QuantiseConfig read() {
    QuantiseConfig result{.written = config_};
    if (!read_name(result)) return result;
    if (const ir::Value* bypass = value_of("bypass")) {
      if (const bool* flag = bypass->get<bool>()) {
        result.bypass = *flag;
      } else {
        problem("bypass", "bypass must be true or false");
      }
    }
    if (result.name.empty()) {
      // Formats and keys of a node that is left alone may stay in a file, but must exist.
      check_keys(nullptr);
      return result;
    }
    check_keys(result.format);
    const Rounding rounding = choice("rounding", kRoundings);
    const Overflow overflow = choice("overflow", kOverflows);
    for (const std::string& group : config_groups()) {
      read_group(*result.format, group, rounding, overflow, result);
    }
    return result;
  }

 private:
  const ir::Value* value_of(std::string_view key) const { return ir::find(config_, key); }

  Location place(std::string_view key) const {
    const Location* found = ir::find(places_, key);
    return found ? *found : where_;
  }

  void problem(std::string_view key, std::string text, std::string hint = {}) {
    out_.add(std::move(text), place(key), std::move(hint));
  }

  // False if there is no telling what the other keys mean.
  bool read_name(QuantiseConfig& result) {
    std::vector<std::string> known;
    for (const numerics::Format* format : numerics::formats()) {
      known.emplace_back(format->name);
      for (std::string_view alias : format->aliases) known.emplace_back(alias);
    }
    const ir::Value* name = value_of("name");
    if (!name) {
      problem("name", "the key 'name' is missing: it says which number format is meant",
              fmt::format("formats: {}; \"NA\" leaves a node alone", fmt::join(known, ", ")));
      return false;
    }
    if (name->is_none()) return true;
    const std::string* text = name->get<std::string>();
    result.format = text ? numerics::find_format(*text) : nullptr;
    if (!result.format) {
      std::string hint = text ? did_you_mean(*text, known) : "";
      if (hint.empty()) hint = fmt::format("formats: {}", fmt::join(known, ", "));
      problem("name", fmt::format("unknown number format {}", ir::repr(*name)), std::move(hint));
      return false;
    }
    result.name = *text;
    return true;
  }

  void check_keys(const numerics::Format* only) {
    std::vector<std::string> known = {"name", "bypass", "rounding", "overflow"};
    const auto add = [&](const numerics::Format& format) {
      for (const std::string& group : config_groups()) {
        for (const numerics::Parameter& parameter : format.parameters) {
          known.push_back(fmt::format("{}_{}", group, parameter.name));
        }
      }
    };
    if (only) {
      add(*only);
    } else {
      for (const numerics::Format* format : numerics::formats()) add(*format);
    }
    for (const auto& [key, value] : config_) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      if (key.starts_with("data_out_")) {
        problem(key, fmt::format("'{}': results are not quantised, only what a node reads", key),
                "quantise the data_in of the nodes that follow");
      } else {
        problem(key, fmt::format("unknown key '{}'", key), did_you_mean(key, known));
      }
    }
  }

  template <typename T, std::size_t N>
  T choice(std::string_view key, const std::array<T, N>& choices) {
    const ir::Value* value = value_of(key);
    if (!value) return choices[0];
    std::vector<std::string> known;
    for (T candidate : choices) {
      known.emplace_back(numerics::name(candidate));
      if (const auto* text = value->get<std::string>(); text && *text == known.back()) {
        return candidate;
      }
    }
    problem(key,
            fmt::format("{} = {} is not one of {}", key, ir::repr(*value), fmt::join(known, ", ")));
    return choices[0];
  }

  void read_group(const numerics::Format& format, const std::string& group, Rounding rounding,
                  Overflow overflow, QuantiseConfig& result) {
    numerics::Values values;
    std::vector<std::string> missing;
    bool given = false;
    bool sound = true;
    for (const numerics::Parameter& parameter : format.parameters) {
      const std::string key = fmt::format("{}_{}", group, parameter.name);
      const ir::Value* value = value_of(key);
      if (!value) {
        if (must_be_given(parameter)) missing.push_back(key);
        continue;
      }
      given = true;
      if (value->is_none() && parameter.optional) continue;
      const std::optional<std::int64_t> number = whole_number(*value);
      if (number && *number >= parameter.low && *number <= parameter.high) {
        values.emplace(parameter.name, *number);
        continue;
      }
      sound = false;
      problem(key,
              fmt::format("{} = {}: must be a whole number from {} to {}{}", key, ir::repr(*value),
                          parameter.low, parameter.high, parameter.optional ? ", or \"NA\"" : ""));
    }
    if (!given) return;
    if (!missing.empty()) {
      out_.add(fmt::format("missing: {}", fmt::join(missing, ", ")), where_,
               fmt::format("'{}' is given in part", group));
      return;
    }
    if (!sound) return;
    try {
      numerics::Precision precision = numerics::make_precision(format, std::move(values));
      precision.rounding = rounding;
      precision.overflow = overflow;
      result.groups.emplace_back(group, std::move(precision));
    } catch (const Error& error) {
      out_.add(fmt::format("{}: {}", group, error.message()), where_, error.hint());
    }
  }

  const ir::Dict& config_;
  const Location& where_;
  const KeyPlaces& places_;
  Diagnostics& out_;
};

const ops::Argument* find_argument(const ops::Op& op, std::string_view name) {
  const auto row = std::find_if(op.arguments.begin(), op.arguments.end(),
                                [&](const ops::Argument& a) { return a.name == name; });
  return row == op.arguments.end() ? nullptr : &*row;
}

// Whether the node has this argument: a layer without bias has no bias, `x + 2` has no data_in_1.
bool has_argument(const ir::Graph& graph, const ir::Node& node, const ops::Op& op,
                  std::string_view argument) {
  const ops::Argument* row = find_argument(op, argument);
  if (!row || row->role != ops::Role::Data) return graph.parameter_of(node, argument) != nullptr;
  std::int64_t tensors = 0;
  const auto count = [&](const ir::NodeRef&) { ++tensors; };
  for (const ir::Value& value : node.args) ir::for_each_node_ref(value, count);
  for (const auto& [key, value] : node.kwargs) ir::for_each_node_ref(value, count);
  return std::any_of(op.arguments.begin(), op.arguments.end(), [&](const ops::Argument& a) {
    return a.role == ops::Role::Data && tensors-- > 0 && &a == row;
  });
}

bool is_optional(const ops::Op& op, std::string_view argument) {
  const ops::Argument* row = find_argument(op, argument);
  return row && row->role == ops::Role::OptionalParameter;
}

// The keys of the groups that the op has; a rule for several ops may hold more.
ir::Dict relevant(const QuantiseConfig& config, const std::vector<std::string>& used) {
  ir::Dict out;
  for (const auto& [key, value] : config.written) {
    bool of_other_group = false;
    for (const std::string& group : config_groups()) {
      const bool own = std::find(used.begin(), used.end(), group) != used.end();
      of_other_group = of_other_group || (key.starts_with(group + "_") && !own);
    }
    if (!of_other_group) out.emplace_back(key, value);
  }
  return out;
}

}  // namespace

std::string_view config_group(const ops::Op& op, std::string_view argument) {
  const ops::Argument* row = find_argument(op, argument);
  if (row && !row->group.empty()) return row->group;
  return argument.starts_with("data_in_") ? std::string_view("data_in") : argument;
}

std::vector<std::string> config_groups() {
  std::vector<std::string> groups;
  for (const ops::Op* op : ops::ops()) {
    for (std::string_view argument : op->quantisable) {
      groups.emplace_back(config_group(*op, argument));
    }
  }
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

QuantiseConfig read_quantise_config(const ir::Dict& config, const Location& where,
                                    const KeyPlaces& places, Diagnostics& diagnostics) {
  return Reader(config, where, places, diagnostics).read();
}

ir::Dict write_quantise_config(const ir::Named<numerics::Precision>& groups) {
  const numerics::Format* format = groups.empty() ? nullptr : groups.front().second.format;
  ir::Dict out{{"name", format ? ir::Value(format->name) : ir::Value()}};
  if (!format) return out;
  for (const auto& [group, precision] : groups) {
    if (precision.format != format) {
      usage_error(fmt::format("one rule, two formats: {} for {}, {} for {}", format->name,
                              groups.front().first, precision.type(), group),
                  {}, "give all arguments of a node the same format");
    }
    for (const numerics::Parameter& parameter : format->parameters) {
      const auto found = precision.values.find(parameter.name);
      const bool given = found != precision.values.end();
      if (given && parameter.standard == found->second) continue;
      if (!given && !parameter.optional) continue;
      out.emplace_back(fmt::format("{}_{}", group, parameter.name),
                       given ? ir::Value(found->second) : ir::Value());
    }
  }
  const numerics::Precision& first = groups.front().second;
  if (first.rounding != Rounding::NearestEven) {
    out.emplace_back("rounding", numerics::name(first.rounding));
  }
  if (first.overflow != Overflow::Saturate) {
    out.emplace_back("overflow", numerics::name(first.overflow));
  }
  return out;
}

void apply_quantise_config(const QuantiseConfig& config, const ir::Graph& graph, const ops::Op& op,
                           ir::Node& node, const Location& where, Diagnostics& diagnostics) {
  std::vector<std::string> used;
  std::vector<std::string> missing;
  ir::Named<numerics::Precision> precision;
  for (std::string_view argument : op.quantisable) {
    const std::string group(config_group(op, argument));
    used.push_back(group);
    const numerics::Precision* given = ir::find(config.groups, group);
    if (!given) {
      const bool listed = std::find(missing.begin(), missing.end(), group) != missing.end();
      if (!is_optional(op, argument) && !listed) missing.push_back(group);
      continue;
    }
    if (!has_argument(graph, node, op, argument)) continue;
    precision.emplace_back(argument, *given);
    // Rectified values are never negative, so the sign bit serves as one more bit of range.
    const std::string sign_key = group + "_is_signed";
    auto& values = precision.back().second.values;
    if (op.unsigned_input && values.contains("is_signed") && !ir::find(config.written, sign_key)) {
      values["is_signed"] = 0;
    }
  }
  if (!missing.empty()) {
    std::vector<std::string> keys;
    for (const std::string& group : missing) {
      for (const numerics::Parameter& parameter : config.format->parameters) {
        if (!must_be_given(parameter)) continue;
        keys.push_back(fmt::format("{}_{}", group, parameter.name));
      }
    }
    diagnostics.add(fmt::format("missing for op '{}': {}", op.name, fmt::join(keys, ", ")), where,
                    fmt::format("node {} needs them", node.name));
    return;
  }
  node.precision = std::move(precision);
  node.quantisation = relevant(config, used);
  ir::record_precision(node);
}

}  // namespace mase::passes
