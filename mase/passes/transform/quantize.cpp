// quantize: for every quantisable node the first rule that selects it decides; then the rules that
// selected nothing, and nodes that are quantised already, are reported together.
#include "mase/passes/transform/quantize.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "mase/ir/format_state.h"
#include "mase/ops/op.h"
#include "mase/passes/analysis/add_common_metadata.h"
#include "mase/passes/analysis/summarize_quantization.h"
#include "mase/passes/run_graph.h"
#include "mase/passes/transform/quantize_config.h"
#include "mase/support/suggest.h"

namespace mase::passes {
namespace {

constexpr std::string_view kDefault = "default";

std::vector<std::string> quantisable_ops() {
  std::vector<std::string> names;
  for (const ops::Op* op : ops::ops()) {
    if (!op->quantisable.empty()) names.emplace_back(op->name);
  }
  return names;
}

std::string why_not_quantisable(const ir::Node& node) {
  const ops::Op* op = ops::find_op_of(node);
  if (!op || op->quantisable.empty()) {
    return fmt::format("cannot be quantised, only nodes of {} can",
                       fmt::join(quantisable_ops(), ", "));
  }
  if (node.kind == ir::NodeKind::CallMethod)
    return "calls a method, only functions can be quantised";
  return "";
}

// Which rule decides for each node, by its position among all rules; "default" for those that no
// other one selects, -1 for none. Rules that select nothing become problems.
std::vector<int> choose_rules(const ir::Graph& graph, const QuantizeOptions& options,
                              Diagnostics& problems) {
  std::vector<Rule> rules;
  std::vector<int> position;  // among all rules
  int fallback = -1;
  for (std::size_t i = 0; i < options.rules.size(); ++i) {
    const QuantizeRule& rule = options.rules[i];
    if (rule.selects == kDefault) {
      fallback = static_cast<int>(i);
      continue;
    }
    rules.push_back({.key = rule.selects, .where = rule.where, .optional = rule.optional});
    position.push_back(static_cast<int>(i));
  }
  const Selection selection = select_nodes(graph, options.by, rules, problems, why_not_quantisable);
  std::vector<int> out;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const int rule = selection.rule_of_node[i];
    const bool open = rule < 0 && why_not_quantisable(graph.nodes()[i]).empty();
    out.push_back(rule >= 0 ? position[static_cast<std::size_t>(rule)] : open ? fallback : -1);
  }
  return out;
}

// Keys of groups that none of the selected nodes has: allowed, since a rule may serve several
// networks, but worth a word.
void warn_of_idle_groups(const ir::Graph& graph, const QuantizeOptions& options,
                         const std::vector<RuleHits>& hits, const Context& context) {
  for (std::size_t i = 0; i < options.rules.size(); ++i) {
    std::set<std::string> used;
    for (const std::string& name : hits[i].nodes) {
      const ops::Op& op = ops::op_of(graph.node(name));
      for (const std::string_view part : quantisable_parts(op)) {
        used.emplace(config_group(op, part));
      }
    }
    if (used.empty() || options.rules[i].selects == kDefault) continue;
    for (const std::string& group : config_groups()) {
      const bool given =
          std::any_of(options.rules[i].config.begin(), options.rules[i].config.end(),
                      [&](const auto& item) { return item.first.starts_with(group + "_"); });
      if (given && !used.contains(group)) {
        context.log_warning(fmt::format("quantize: '{}' has no {}, so its keys {}_* say nothing",
                                        options.rules[i].selects, group, group));
      }
    }
  }
}

// Everything of a rule that can be checked without a graph.
QuantizeRule read_rule(const std::string& key, const ir::Value& value, const Options& options,
                       By by, Diagnostics& diagnostics) {
  QuantizeRule rule(key, ir::Dict{});
  rule.where = options.where(key);
  const ir::Dict* table = value.get<ir::Dict>();
  const ir::Value* config = table ? ir::find(*table, "config") : nullptr;
  if (!config || !config->is<ir::Dict>()) {
    diagnostics.add(
        fmt::format("rule '{}' needs a table 'config'", key), rule.where,
        fmt::format("[passes.quantize.{}.config] with name = \"integer\" and so on", key));
    return rule;
  }
  for (const auto& [name, entry] : *table) {
    const Location where = options.where(fmt::format("{}.{}", key, name));
    if (name == "optional" && entry.is<bool>()) {
      rule.optional = entry.as_bool();
    } else if (name == "optional") {
      diagnostics.add("optional must be true or false", where);
    } else if (name != "config") {
      diagnostics.add(fmt::format("unknown key '{}' in rule '{}'", name, key), where,
                      did_you_mean(name, {"config", "optional"}));
    }
  }
  rule.config = config->as_dict();
  for (const auto& [name, entry] : rule.config) {
    rule.places.emplace_back(name, options.where(fmt::format("{}.config.{}", key, name)));
  }
  read_quantise_config(rule.config, rule.where, rule.places, diagnostics);
  if (by == By::Type && key != kDefault && !ops::find_op(key)) {
    std::vector<std::string> known;
    for (const ops::Op* op : ops::ops()) known.emplace_back(op->name);
    std::string hint = did_you_mean(key, known);
    if (hint.empty())
      hint = fmt::format("ops that can be quantised: {}", fmt::join(quantisable_ops(), ", "));
    diagnostics.add(fmt::format("by type: there is no op '{}'", key), rule.where, std::move(hint));
  }
  return rule;
}

void check(const Options& options, Diagnostics& diagnostics) {
  read_quantize_options(options, diagnostics);
}

PassResult run_quantize(const ir::Graph& graph, const Options& options, Context& context) {
  Diagnostics diagnostics;
  QuantizeOptions parsed = read_quantize_options(options, diagnostics);
  diagnostics.throw_if_any();
  parsed.sample = context.dummy_input;
  parsed.engine = context.engine;
  PassResult result;
  result.graph = quantize(graph, parsed, &result.hits);
  warn_of_idle_groups(graph, parsed, result.hits, context);
  std::erase_if(result.hits, [](const RuleHits& hits) {
    return hits.rule == kDefault && hits.nodes.empty();  // the rest may well be empty
  });
  context.original = graph;
  const QuantizationSummary summary = summarize_quantization(graph, result.graph);
  if (options.flag("report")) print_summary(summary, context);
  if (!context.folder.empty()) save_summary(summary, context.folder / "quantize");
  result.info = summary.to_value();
  return result;
}

// What formats keep of data begins with what the float network makes of the sample.
void add_states(ir::Graph& out, const ir::Graph& original, const QuantizeOptions& options) {
  if (ir::format_states(out).empty()) return;
  ir::Named<ir::Value> results;
  if (!options.sample.empty()) {
    const std::vector<ir::Tensor> inputs = inputs_in_order(original, options.sample);
    const bool several = !inputs.empty() && inputs[0].shape().size() > 1 && inputs[0].dim(0) > 1;
    results = compile(original, options.engine, inputs)
                  ->capture_results(inputs, several ? engine::Mode::Train : engine::Mode::Eval);
  }
  const auto tensor_of = [&](const std::string& node) {
    const ir::Value* value = ir::find(results, node);
    const auto* tensor = value ? value->get<ir::Tensor>() : nullptr;
    return tensor ? std::optional(*tensor) : std::nullopt;
  };
  const auto seen = [&](const ir::Node& node, std::string_view argument) {
    if (argument == ops::kResult) return tensor_of(node.name);
    // data_in_<i> is the i-th of the tensors that the node reads.
    std::vector<std::optional<ir::Tensor>> read;
    const auto take = [&](const ir::NodeRef& ref) {
      if (auto tensor = tensor_of(ref.name)) read.push_back(std::move(tensor));
    };
    for (const ir::Value& value : node.args) ir::for_each_node_ref(value, take);
    for (const auto& [key, value] : node.kwargs) ir::for_each_node_ref(value, take);
    const std::size_t i = argument.ends_with("_1") ? 1 : 0;
    return i < read.size() ? read[i] : std::nullopt;
  };
  ir::add_format_states(out, {.seen = seen});
}

ir::Named<numerics::Precision> by_group(const ArgumentFormats& formats) {
  ir::Named<numerics::Precision> groups;
  if (formats.data_in) groups.emplace_back("data_in", *formats.data_in);
  if (formats.weight) groups.emplace_back("weight", *formats.weight);
  if (formats.bias) groups.emplace_back("bias", *formats.bias);
  if (formats.data_out) groups.emplace_back("data_out", *formats.data_out);
  return groups;
}

}  // namespace

QuantizeRule::QuantizeRule(std::string selects, ir::Dict config, bool optional)
    : selects(std::move(selects)), config(std::move(config)), optional(optional) {}

QuantizeRule::QuantizeRule(std::string selects, const numerics::Precision& all, bool optional)
    : QuantizeRule(std::move(selects), ArgumentFormats{all, all, all}, optional) {}

QuantizeRule::QuantizeRule(std::string selects, const ArgumentFormats& formats, bool optional)
    : QuantizeRule(std::move(selects), write_quantise_config(by_group(formats)), optional) {}

ir::Graph quantize(const ir::Graph& graph, const QuantizeOptions& options,
                   std::vector<RuleHits>* hits) {
  Diagnostics problems;
  std::vector<QuantiseConfig> configs;
  std::vector<RuleHits> found;
  for (const QuantizeRule& rule : options.rules) {
    configs.push_back(read_quantise_config(rule.config, rule.where, rule.places, problems));
    found.push_back({.rule = rule.selects, .nodes = {}});
  }
  problems.throw_if_any();

  const std::vector<int> choice = choose_rules(graph, options, problems);
  ir::Graph out = graph;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    if (choice[i] < 0) continue;
    const auto chosen = static_cast<std::size_t>(choice[i]);
    const QuantiseConfig& config = configs[chosen];
    const Location& where = options.rules[chosen].where;
    ir::Node& node = out.nodes_mut()[i];
    found[chosen].nodes.push_back(node.name);
    if (!node.is_quantised()) {
      apply_quantise_config(config, graph, ops::op_of(node), node, where, problems);
    } else if (!config.leaves_alone()) {
      const auto& [argument, precision] = node.precision.front();
      problems.add(fmt::format("node {} is quantised already: its {} is {}", node.name, argument,
                               precision.text()),
                   where,
                   "quantise the float graph (--drop-quantisation loads it from the same file), or "
                   "give this node a rule with name \"NA\"");
    }
  }
  problems.throw_if_any();
  add_states(out, graph, options);
  if (ir::find(out.meta, "common")) record_graph_metadata(out);
  if (hits) *hits = std::move(found);
  return out;
}

QuantizeOptions read_quantize_options(const Options& options, Diagnostics& diagnostics) {
  QuantizeOptions out{.by = parse_by(options.text("by"), options.where("by")), .rules = {}};
  for (const auto& [key, value] : options.values()) {
    if (key != "by" && key != "report")
      out.rules.push_back(read_rule(key, value, options, out.by, diagnostics));
  }
  if (out.rules.empty()) {
    diagnostics.add("no rules: nothing would be quantised", options.where(),
                    "add a table such as [passes.quantize.linear.config]");
  }
  return out;
}

const Pass kQuantize{
    .name = "quantize",
    .kind = PassKind::Transform,
    .summary = "put number formats on the arguments of nodes chosen by op, name or pattern",
    .options = {{.name = "by",
                 .type = FieldType::Text,
                 .choices = by_names(),
                 .help = "what the rules below select nodes by"},
                {.name = "report",
                 .type = FieldType::Bool,
                 .standard = true,
                 .help = "log what changed, as summarize_quantization does"},
                {.name = "*",
                 .type = FieldType::Table,
                 .standard = kOpen,
                 .help = "a rule: [passes.quantize.<op, node or pattern>.config] with name (the "
                         "format), <data_in, weight, bias or data_out>_<parameter>, bypass, "
                         "rounding, overflow; 'default' for all other nodes",
                 .example = "linear.config = {name = \"integer\", data_in_width = 8, "
                            "data_in_frac_width = 4, weight_width = 8, weight_frac_width = 4, "
                            "bias_width = 8, bias_frac_width = 4}"}},
    .run = run_quantize,
    .check = check,
};

}  // namespace mase::passes
