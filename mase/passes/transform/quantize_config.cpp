// The keys of a quantisation, checked against the rows of the number formats and of the ops, so
// that a new format or op brings its keys with it.
#include "mase/passes/transform/quantize_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "mase/ir/field_value.h"
#include "mase/support/suggest.h"

namespace mase::passes {
namespace {

constexpr std::string_view kName = "name";
constexpr std::string_view kIsSigned = "is_signed";

// What a key `name` or `<group>_name` says.
struct NamedFormat {
  const numerics::Format* format = nullptr;
  std::string_view alias = "";
  bool known = false;  // a format, or None
};

// Fields that a format's list does not show may be given once for all groups.
bool is_shared(const numerics::Format& format, const Field& field) {
  return static_cast<std::size_t>(&field - format.fields.data()) >= format.listed;
}

class Reader {
 public:
  Reader(const ir::Dict& config, const Location& where, const KeyPlaces& places, Diagnostics& out)
      : config_(config), where_(where), places_(places), out_(out) {}

  QuantiseConfig read() {
    QuantiseConfig result;
    read_bypass(result);
    const ir::Value* name = value_of(kName);
    const NamedFormat common = name ? named_format(kName, *name) : NamedFormat{};
    result.format = common.format;
    ir::Named<NamedFormat> formats;
    bool understood = true;
    for (const std::string& group : config_groups()) {
      const std::string key = fmt::format("{}_{}", group, kName);
      const ir::Value* own = value_of(key);
      if (own || name) formats.emplace_back(group, own ? named_format(key, *own) : common);
      understood = understood && (formats.empty() || formats.back().second.known);
    }
    if (formats.empty()) {
      problem(kName, "the key 'name' is missing: it says which number format is meant",
              fmt::format("formats: {}; \"NA\" leaves a node alone",
                          fmt::join(numerics::format_names(), ", ")));
    }
    if (formats.empty() || !understood) return result;  // no telling what the other keys mean
    check_keys(formats);
    for (const auto& [group, format] : formats) {
      if (format.format) {
        read_group(format, group, result);
      } else {
        result.groups.emplace_back(group, QuantiseConfig::Group{});
      }
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

  void read_bypass(QuantiseConfig& result) {
    const ir::Value* bypass = value_of("bypass");
    if (!bypass) return;
    const bool* flag = bypass->get<bool>();
    if (!flag) {
      return problem("bypass",
                     fmt::format("bypass must be true or false, not {}", ir::repr(*bypass)));
    }
    result.bypass = *flag;
  }

  NamedFormat named_format(std::string_view key, const ir::Value& value) {
    NamedFormat out{.known = true};
    if (value.is_none()) return out;
    const std::string* text = value.get<std::string>();
    out.format = text ? numerics::find_format(*text) : nullptr;
    out.known = out.format != nullptr;
    if (out.format) {
      for (const std::string_view alias : out.format->aliases) {
        if (alias == *text) out.alias = alias;
      }
      return out;
    }
    const std::vector<std::string> known = numerics::format_names();
    std::string hint = text ? did_you_mean(*text, known) : "";
    if (hint.empty()) hint = fmt::format("formats: {}", fmt::join(known, ", "));
    problem(key, fmt::format("unknown number format {}", ir::repr(value)), std::move(hint));
    return out;
  }

  void check_keys(const ir::Named<NamedFormat>& formats) {
    std::vector<std::string> known = {std::string(kName), "bypass"};
    const auto add = [&](const std::string& group, const numerics::Format& format) {
      for (const Field& field : format.fields) {
        known.push_back(fmt::format("{}_{}", group, field.name));
        if (is_shared(format, field)) known.emplace_back(field.name);
      }
    };
    for (const std::string& group : config_groups()) {
      known.push_back(fmt::format("{}_{}", group, kName));
      const NamedFormat* format = ir::find(formats, group);
      if (format && format->format) {
        add(group, *format->format);
        continue;
      }
      // Keys of a group that is left alone may stay in a file, but must exist.
      for (const numerics::Format* any : numerics::formats()) add(group, *any);
    }
    for (const auto& [key, value] : config_) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      problem(key, fmt::format("unknown key '{}'", key), did_you_mean(key, known));
    }
  }

  // The value of a field: under the group's key, or once for all groups. Null if it was not given.
  const ir::Value* field_value_of(const numerics::Format& format, const Field& field,
                                  const std::string& group, std::string& key) const {
    key = fmt::format("{}_{}", group, field.name);
    const ir::Value* own = value_of(key);
    if (own || !is_shared(format, field)) return own;
    key = field.name;
    return value_of(key);
  }

  void read_group(const NamedFormat& named, const std::string& group, QuantiseConfig& result) {
    const numerics::Format& format = *named.format;
    numerics::Values values;
    std::vector<std::string> missing;
    const std::string prefix = group + "_";
    bool given = false;
    for (const auto& [key, value] : config_) given = given || key.starts_with(prefix);
    if (!given) return;
    bool sound = true;
    QuantiseConfig::Group out;
    for (const Field& field : format.fields) {
      std::string key;
      const ir::Value* value = field_value_of(format, field, group, key);
      if (!value) {
        if (field.must_be_given()) missing.push_back(prefix + std::string(field.name));
        continue;
      }
      Field named_by_key = field;
      named_by_key.name = key;
      const FieldValue plain = ir::field_value(*value);
      if (std::string wrong = mase::problem(named_by_key, plain); !wrong.empty()) {
        sound = false;
        if (told_.insert(key).second) problem(key, std::move(wrong));  // one key for all groups
      }
      out.sign_given = out.sign_given || field.name == kIsSigned;
      values.emplace(field.name, plain);
    }
    if (!missing.empty()) {
      out_.add(fmt::format("missing: {}", fmt::join(missing, ", ")), where_,
               fmt::format("'{}' is given in part", group));
      return;
    }
    if (!sound) return;
    try {
      out.precision = numerics::make_precision(format, std::move(values));
      out.precision.alias = named.alias;
      result.groups.emplace_back(group, std::move(out));
    } catch (const Error& error) {
      out_.add(fmt::format("{}: {}", group, error.message()), where_, error.hint());
    }
  }

  const ir::Dict& config_;
  const Location& where_;
  const KeyPlaces& places_;
  Diagnostics& out_;
  std::set<std::string> told_;  // keys whose value is wrong
};

const ops::Argument* find_argument(const ops::Op& op, std::string_view name) {
  const auto row = std::find_if(op.arguments.begin(), op.arguments.end(),
                                [&](const ops::Argument& a) { return a.name == name; });
  return row == op.arguments.end() ? nullptr : &*row;
}

// Whether the node has this argument: a layer without bias has no bias, `x + 2` has no data_in_1.
bool has_argument(const ir::Graph& graph, const ir::Node& node, const ops::Op& op,
                  std::string_view argument) {
  if (argument == ops::kResult) return true;
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
  return argument == ops::kResult || (row && row->role == ops::Role::OptionalParameter);
}

// Keys that a group must have for a format.
std::vector<std::string> needed_keys(const std::string& group, const numerics::Format& format) {
  std::vector<std::string> keys;
  for (const Field& field : format.fields) {
    if (field.must_be_given()) keys.push_back(fmt::format("{}_{}", group, field.name));
  }
  return keys;
}

// The fields that all groups have in common and that are written once: name and value.
ir::Dict shared_fields(const ir::Named<numerics::Precision>& groups) {
  ir::Dict out;
  const numerics::Precision& first = groups.front().second;
  for (const Field& field : first.format->fields) {
    if (!is_shared(*first.format, field)) continue;
    const FieldValue& value = first.values.at(std::string(field.name));
    const bool common = std::all_of(groups.begin(), groups.end(), [&](const auto& group) {
      return group.second.format == first.format &&
             group.second.values.find(field.name)->second == value;
    });
    if (common && value != *field.standard) out.emplace_back(field.name, ir::value_of(value));
  }
  return out;
}

}  // namespace

bool QuantiseConfig::leaves_alone() const {
  return std::all_of(groups.begin(), groups.end(),
                     [](const auto& group) { return group.second.precision.is_float(); });
}

std::string_view config_group(const ops::Op& op, std::string_view argument) {
  if (argument == ops::kResult) return "data_out";
  const ops::Argument* row = find_argument(op, argument);
  if (row && !row->group.empty()) return row->group;
  return argument.starts_with("data_in_") ? std::string_view("data_in") : argument;
}

std::vector<std::string> config_groups() {
  std::vector<std::string> groups;
  for (const ops::Op* op : ops::ops()) {
    for (std::string_view argument : quantisable_parts(*op)) {
      groups.emplace_back(config_group(*op, argument));
    }
  }
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

std::vector<std::string_view> quantisable_parts(const ops::Op& op) {
  std::vector<std::string_view> parts = op.quantisable;
  if (!parts.empty()) parts.push_back(ops::kResult);
  return parts;
}

QuantiseConfig read_quantise_config(const ir::Dict& config, const Location& where,
                                    const KeyPlaces& places, Diagnostics& diagnostics) {
  return Reader(config, where, places, diagnostics).read();
}

ir::Dict write_quantise_config(const ir::Named<numerics::Precision>& groups) {
  const auto same_name = [&](const auto& group) {
    return group.second.type() == groups.front().second.type();
  };
  const bool one_format = std::all_of(groups.begin(), groups.end(), same_name);
  if (groups.empty() || (one_format && groups.front().second.is_float())) {
    return {{std::string(kName), ir::Value()}};
  }
  ir::Dict out;
  if (one_format) out.emplace_back(kName, groups.front().second.type());
  const ir::Dict shared = one_format ? shared_fields(groups) : ir::Dict{};
  for (const auto& [group, precision] : groups) {
    if (!one_format) {
      out.emplace_back(fmt::format("{}_{}", group, kName),
                       precision.is_float() ? ir::Value() : ir::Value(precision.type()));
    }
    if (precision.is_float()) continue;
    for (const Field& field : precision.format->fields) {
      const FieldValue& value = precision.values.find(field.name)->second;
      const bool unshown = is_shared(*precision.format, field);
      if (unshown && (value == *field.standard || ir::find(shared, field.name))) continue;
      out.emplace_back(fmt::format("{}_{}", group, field.name), ir::value_of(value));
    }
  }
  out.insert(out.end(), shared.begin(), shared.end());
  return out;
}

ir::Dict quantise_config_of(const ir::Node& node) {
  if (node.precision.empty()) return {};
  const ops::Op& op = ops::op_of(node);
  ir::Named<numerics::Precision> groups;
  for (const auto& [argument, precision] : node.precision) {
    const std::string group(config_group(op, argument));
    if (!ir::find(groups, group)) groups.emplace_back(group, precision);
  }
  ir::Dict config = write_quantise_config(groups);
  if (node.bypass) config.emplace_back("bypass", true);
  return config;
}

void apply_quantise_config(const QuantiseConfig& config, const ir::Graph& graph, const ops::Op& op,
                           ir::Node& node, const Location& where, Diagnostics& diagnostics) {
  std::vector<std::string> missing;
  ir::Named<numerics::Precision> precision;
  for (std::string_view argument : quantisable_parts(op)) {
    const std::string group(config_group(op, argument));
    const QuantiseConfig::Group* given = ir::find(config.groups, group);
    if (!given) {
      const bool listed = std::find(missing.begin(), missing.end(), group) != missing.end();
      if (!config.bypass && !is_optional(op, argument) && !listed) missing.push_back(group);
      continue;
    }
    if (!has_argument(graph, node, op, argument)) continue;
    precision.emplace_back(argument, given->precision);
    // Rectified values are never negative, so the sign bit serves as one more bit of range.
    auto& values = precision.back().second.values;
    if (op.unsigned_input && !given->sign_given && values.contains(kIsSigned)) {
      values.insert_or_assign(std::string(kIsSigned), false);
    }
  }
  if (!missing.empty()) {
    std::vector<std::string> keys;
    for (const std::string& group : missing) {
      if (!config.format) {
        keys.push_back(group + "_name");
        continue;
      }
      const std::vector<std::string> needed = needed_keys(group, *config.format);
      keys.insert(keys.end(), needed.begin(), needed.end());
    }
    diagnostics.add(fmt::format("missing for op '{}': {}", op.name, fmt::join(keys, ", ")), where,
                    fmt::format("node {} needs them", node.name));
    return;
  }
  node.precision = std::move(precision);
  node.bypass = config.bypass;
  ir::record_precision(node);
}

}  // namespace mase::passes
