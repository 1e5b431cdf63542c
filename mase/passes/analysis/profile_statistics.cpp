// profile_statistics: statistics of parameters and of what nodes read, over some batches.
#include "mase/passes/analysis/profile_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "mase/passes/analysis/metadata_text.h"
#include "mase/passes/run_graph.h"

namespace mase::passes {
namespace {

using statistics::Collector;
using statistics::Request;

// The collectors of one argument of a node.
struct Probe {
  std::string node;
  std::string argument;
  ir::Named<std::unique_ptr<Collector>> collectors;

  void update(const ir::Tensor& sample) {
    for (auto& [name, collector] : collectors) {
      try {
        collector->update(sample);
      } catch (const Error& error) {
        // Says where, on top of what.
        throw Error(error.kind(), fmt::format("{} of {}: {}", name, argument, error.message()),
                    {.node = node}, error.hint());
      }
    }
  }
};

// What is said while it works, if there is anybody to say it to.
struct Listener {
  std::function<void(std::string_view, std::size_t, std::size_t)> progress = nullptr;
  void operator()(std::string_view what, std::size_t done, std::size_t total) const {
    if (progress) progress(what, done, total);
  }
};

// Where the problems of a target list or of a statistic are.
struct Places {
  const Options* options = nullptr;
  Location of(std::string_view key) const { return options ? options->where(key) : Location{}; }
  // Those below a key, without it.
  ir::Named<Location> below(const std::string& key, const ir::Dict& keys) const {
    ir::Named<Location> out;
    for (const auto& [name, value] : keys)
      out.emplace_back(name, of(fmt::format("{}.{}", key, name)));
    return out;
  }
};

std::vector<Probe> make_probes(const std::string& node, const std::vector<std::string>& arguments,
                               const std::vector<Request>& requests, Diagnostics& diagnostics) {
  std::vector<Probe> probes;
  for (const std::string& argument : arguments) {
    Probe probe{.node = node, .argument = argument};
    for (const Request& request : requests) {
      probe.collectors.emplace_back(request.name, make_collector(request, diagnostics));
    }
    probes.push_back(std::move(probe));
  }
  return probes;
}

// Software arguments of a node that are inputs, or that are parameters and running statistics.
std::vector<std::string> arguments_of(const ir::Node& node, bool data) {
  std::vector<std::string> out;
  for (const auto& [name, entry] : node.meta.software->args) {
    if (is_data_argument(name) == data) out.push_back(name);
  }
  return out;
}

Selection select_targets(const ir::Graph& graph, const ProfileStatisticsOptions& options,
                         const std::vector<std::string>& targets, const Location& where,
                         Diagnostics& diagnostics, const WhyNot& why_not) {
  std::vector<Rule> rules;
  for (const std::string& target : targets) {
    rules.push_back({.key = target, .where = where, .optional = options.optional});
  }
  return select_nodes(graph, options.by, rules, diagnostics, why_not);
}

std::string no_parameters(const ir::Node& node) {
  if (node.kind == ir::NodeKind::CallModule && !arguments_of(node, false).empty()) return "";
  return "has no parameters";
}

std::string no_inputs(const ir::Node& node) {
  const bool call = node.kind == ir::NodeKind::CallModule ||
                    node.kind == ir::NodeKind::CallFunction ||
                    node.kind == ir::NodeKind::CallMethod;
  return call && !arguments_of(node, true).empty() ? "" : "reads no tensor";
}

// Every request is tried once, so that a mistake is reported once and not per node.
void check_requests(const std::vector<Request>& requests, const std::string& key,
                    const Places& places, Diagnostics& diagnostics) {
  for (const Request& request : requests) {
    const std::string path = key + "." + request.name;
    make_collector(request, diagnostics, places.of(path), places.below(path, request.options));
  }
}

// The argument that each captured tensor of a node belongs to; "" for one seen before.
std::vector<std::string> captured_arguments(const ir::Graph& graph, const ir::Node& node) {
  const std::vector<std::string> inputs = node.inputs();
  std::vector<std::string> names;
  std::vector<std::string> seen;
  const auto take = [&](const ir::NodeRef& ref) {
    const ir::Node& producer = graph.node(ref.name);
    const auto& results = producer.meta.common->results;
    if (results.empty() || results[0].second.kind != ir::ArgumentMeta::Kind::Data) return;
    const bool again = std::find(seen.begin(), seen.end(), ref.name) != seen.end();
    const auto at = static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), ref.name) -
                                             inputs.begin());
    const auto& args = node.meta.software->args;
    names.push_back(again || at >= args.size() ? "" : args[at].first);
    seen.push_back(ref.name);
  };
  for (const ir::Value& argument : node.args) ir::for_each_node_ref(argument, take);
  for (const auto& [key, argument] : node.kwargs) ir::for_each_node_ref(argument, take);
  return names;
}

void profile_weights(const ir::Graph& graph, std::vector<Probe>& probes, const Listener& listen) {
  std::size_t done = 0;
  for (Probe& probe : probes) {
    probe.update(graph.parameter_of(graph.node(probe.node), probe.argument)->value);
    listen("Profiling weight statistics", ++done, probes.size());
  }
}

void profile_activations(const ir::Graph& graph, const ProfileStatisticsOptions& options,
                         const BatchSource& batches, std::vector<Probe>& probes,
                         const Listener& listen) {
  if (probes.empty()) return;
  std::vector<std::string> nodes;
  std::map<std::pair<std::string, std::string>, Probe*> probe_of;
  for (Probe& probe : probes) {
    if (std::find(nodes.begin(), nodes.end(), probe.node) == nodes.end()) {
      nodes.push_back(probe.node);
    }
    probe_of[{probe.node, probe.argument}] = &probe;
  }
  std::unique_ptr<engine::Program> program;
  std::int64_t rows = 0;
  std::size_t done = 0;
  while (rows < options.num_samples) {
    const std::optional<ir::Named<ir::Tensor>> batch = batches();
    if (!batch) {
      usage_error(fmt::format("the data ends after {} rows, num_samples asks for {}", rows,
                              options.num_samples),
                  {}, fmt::format("set num_samples to {} or less", rows));
    }
    const std::vector<ir::Tensor> inputs = inputs_in_order(graph, *batch);
    if (inputs.empty() || inputs[0].shape().empty() || inputs[0].dim(0) == 0) {
      usage_error("a batch without rows cannot be profiled");
    }
    if (!program) program = compile(graph, options.engine, inputs);
    const std::int64_t size = inputs[0].dim(0);
    for (auto& [name, tensors] : program->capture_inputs(inputs, nodes, options.mode)) {
      const std::vector<std::string> arguments = captured_arguments(graph, graph.node(name));
      for (std::size_t i = 0; i < tensors.size() && i < arguments.size(); ++i) {
        const auto probe = probe_of.find({name, arguments[i]});
        if (probe == probe_of.end() || tensors[i].shape().empty()) continue;
        for (std::int64_t row = 0; row < tensors[i].dim(0); ++row) {
          probe->second->update(tensors[i].rows(row, 1));
        }
      }
    }
    rows += size;
    const auto total = static_cast<std::size_t>((options.num_samples + size - 1) / size);
    listen("Profiling act statistics", ++done, total);
  }
}

void store(ir::Graph& graph, const std::vector<Probe>& probes) {
  for (const Probe& probe : probes) {
    ir::Value stat = ir::Dict{};
    for (const auto& [name, collector] : probe.collectors) stat[name] = collector->result();
    ir::find(graph.node(probe.node).meta.software->args, probe.argument)->stat = std::move(stat);
  }
}

ir::Graph profile(ir::Graph graph, const ProfileStatisticsOptions& options,
                  const BatchSource& batches, const Places& places, const Listener& listen,
                  std::vector<RuleHits>* hits) {
  Diagnostics diagnostics;
  check_requests(options.weight_statistics, "weight_statistics", places, diagnostics);
  check_requests(options.activation_statistics, "activation_statistics", places, diagnostics);
  const Selection weights =
      select_targets(graph, options, options.target_weight_nodes, places.of("target_weight_nodes"),
                     diagnostics, no_parameters);
  const Selection activations =
      select_targets(graph, options, options.target_activation_nodes,
                     places.of("target_activation_nodes"), diagnostics, no_inputs);
  if (options.num_samples < 1) {
    diagnostics.add(fmt::format("num_samples is {}, must be at least 1", options.num_samples),
                    places.of("num_samples"));
  }
  diagnostics.throw_if_any();

  std::vector<Probe> weight_probes;
  std::vector<Probe> activation_probes;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const ir::Node& node = graph.nodes()[i];
    const auto add = [&](std::vector<Probe>& to, bool data, const std::vector<Request>& requests) {
      for (Probe& probe : make_probes(node.name, arguments_of(node, data), requests, diagnostics)) {
        to.push_back(std::move(probe));
      }
    };
    if (weights.selects(i)) add(weight_probes, false, options.weight_statistics);
    if (activations.selects(i)) add(activation_probes, true, options.activation_statistics);
  }
  profile_weights(graph, weight_probes, listen);
  profile_activations(graph, options, batches, activation_probes, listen);
  store(graph, weight_probes);
  store(graph, activation_probes);
  if (hits != nullptr) {
    *hits = weights.hits;
    hits->insert(hits->end(), activations.hits.begin(), activations.hits.end());
  }
  return graph;
}

std::vector<Request> read_requests(const Options& options, std::string_view key,
                                   Diagnostics& diagnostics) {
  std::vector<Request> requests;
  for (const auto& [name, value] : options.at(key).as_dict()) {
    const auto* table = value.get<ir::Dict>();
    if (table == nullptr) {
      diagnostics.add(fmt::format("'{}' must be a table of options", name),
                      options.where(fmt::format("{}.{}", key, name)));
      continue;
    }
    requests.push_back({name, *table});
  }
  return requests;
}

// What can be said of a configuration without a graph.
void check(const Options& options, Diagnostics& diagnostics) {
  for (const char* key : {"weight_statistics", "activation_statistics"}) {
    check_requests(read_requests(options, key, diagnostics), key, {&options}, diagnostics);
  }
}

// node -> argument -> statistics, of what was collected.
ir::Dict findings(const ir::Graph& graph) {
  ir::Dict out;
  for (const ir::Node& node : graph) {
    ir::Dict arguments;
    for (const auto& [name, entry] : node.meta.software->args) {
      const auto* stat = entry.stat.get<ir::Dict>();
      if (stat != nullptr && !stat->empty()) arguments.emplace_back(name, entry.stat);
    }
    if (!arguments.empty()) out.emplace_back(node.name, std::move(arguments));
  }
  return out;
}

PassResult run_profile_statistics(const ir::Graph& graph, const Options& options,
                                  Context& context) {
  Diagnostics diagnostics;
  const ProfileStatisticsOptions chosen{
      .by = parse_by(options.text("by"), options.where("by")),
      .target_weight_nodes = options.texts("target_weight_nodes"),
      .target_activation_nodes = options.texts("target_activation_nodes"),
      .weight_statistics = read_requests(options, "weight_statistics", diagnostics),
      .activation_statistics = read_requests(options, "activation_statistics", diagnostics),
      .num_samples = options.integer("num_samples"),
      .optional = options.flag("optional"),
      .mode = options.flag("training") ? engine::Mode::Train : engine::Mode::Eval,
      .engine = context.engine};
  diagnostics.throw_if_any();
  if (!context.batches && !chosen.target_activation_nodes.empty()) {
    usage_error("profile_statistics needs data to profile activations", options.where(),
                "run it where a data set is known");
  }
  const BatchSource batches =
      context.batches ? context.batches() : BatchSource([] { return std::nullopt; });
  PassResult result;
  result.graph = profile(graph, chosen, batches, {&options}, {context.progress}, &result.hits);
  result.info = findings(result.graph);
  return result;
}

}  // namespace

ir::Graph profile_statistics(ir::Graph graph, const ProfileStatisticsOptions& options,
                             const BatchSource& batches, std::vector<RuleHits>* hits) {
  return profile(std::move(graph), options, batches, {}, {}, hits);
}

const Pass kProfileStatistics{
    .name = "profile_statistics",
    .kind = PassKind::Analysis,
    .summary = "collect statistics of parameters and activations",
    .options = {{.name = "by",
                 .type = FieldType::Text,
                 .choices = {"type", "name", "regex_name"},
                 .help = "what targets are: ops, node names, or patterns of names"},
                {.name = "target_weight_nodes",
                 .type = FieldType::List,
                 .items = FieldType::Text,
                 .help = "layers whose parameters are profiled",
                 .example = "[\"linear\"]"},
                {.name = "target_activation_nodes",
                 .type = FieldType::List,
                 .items = FieldType::Text,
                 .help = "nodes whose inputs are profiled",
                 .example = "[\"relu\"]"},
                {.name = "weight_statistics",
                 .type = FieldType::Table,
                 .help = "a table of options per statistic",
                 .example = "{variance_precise = {}}"},
                {.name = "activation_statistics",
                 .type = FieldType::Table,
                 .help = "a table of options per statistic",
                 .example = "{range_quantile = {quantile = 0.97}}"},
                {.name = "num_samples",
                 .type = FieldType::Int,
                 .low = 1,
                 .help = "rows of data, rounded up to whole batches",
                 .example = "512"},
                {.name = "training",
                 .type = FieldType::Bool,
                 .standard = false,
                 .help = "run in training mode; running statistics stay as they are"},
                {.name = "optional",
                 .type = FieldType::Bool,
                 .standard = false,
                 .help = "targets that select nothing are no mistake"}},
    .needs = {"add_software_metadata"},
    .run = run_profile_statistics,
    .check = check,
};

}  // namespace mase::passes
