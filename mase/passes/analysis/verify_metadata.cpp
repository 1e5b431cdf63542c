// verify_metadata and its two halves: whether what the metadata say fits the graph and itself.
#include "mase/passes/analysis/verify_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "mase/ops/op.h"
#include "mase/passes/analysis/add_software_metadata.h"
#include "mase/passes/statistics/statistic.h"

namespace mase::passes {
namespace {

using Entries = ir::Named<ir::ArgumentMeta>;

// Collects the problems of one node.
class Site {
 public:
  Site(const ir::Node& node, std::vector<Problem>& problems) : node_(node), problems_(problems) {}
  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    problems_.push_back({.where = {.node = node_.name},
                         .message = fmt::format(format, std::forward<Args>(args)...)});
  }

 private:
  const ir::Node& node_;
  std::vector<Problem>& problems_;
};

// Whether the format's list is [width, fraction]: fixed point.
bool is_fixed_point(std::string_view type) {
  const numerics::Format* format = numerics::find_format(type);
  return format != nullptr && find_field(format->fields, "frac_width") != nullptr;
}

// The i-th number of a precision list; 0 if there is none.
std::int64_t bits(const ir::ArgumentMeta& entry, std::size_t i) {
  const auto* value = i < entry.precision.size() ? entry.precision[i].get<std::int64_t>() : nullptr;
  return value == nullptr ? 0 : *value;
}

void check_format(Site site, std::string_view name, const ir::ArgumentMeta& entry) {
  const std::string list = ir::repr(entry.precision);
  if (entry.type == "NA") return;
  if (entry.type == "float") {
    const std::int64_t width = bits(entry, 0);
    if (entry.precision.size() != 1 || (width != 16 && width != 32 && width != 64)) {
      site.add("{} is float with precision {}, must be [16], [32] or [64]", name, list);
    }
    return;
  }
  const numerics::Format* format = numerics::find_format(entry.type);
  if (format == nullptr) {
    site.add("{} has the unknown type '{}'", name, entry.type);
  } else if (entry.precision.size() != format->listed) {
    site.add("{} is {} with precision {}, which needs {} numbers", name, entry.type, list,
             format->listed);
  } else if (is_fixed_point(entry.type)) {
    const std::int64_t width = bits(entry, 0);
    const std::int64_t fraction = bits(entry, 1);
    if (width <= 0 || fraction < 0 || fraction > width) {
      site.add("{} has width {} and fraction {}, must be 0 <= fraction <= width", name, width,
               fraction);
    }
  }
}

// What a node's own formats say against what its metadata say.
void check_precision(Site site, const ir::Node& node, std::string_view name,
                     const ir::ArgumentMeta& entry) {
  const numerics::Precision* precision = node.precision_of(name);
  const std::string_view type = precision == nullptr ? "float" : precision->type();
  if (entry.type != type && entry.type != "NA") {
    site.add("{} is recorded as {}, but the node computes it as {}", name, entry.type, type);
  }
}

ops::ValueType type_of(const ir::ArgumentMeta& entry) {
  if (entry.kind == ir::ArgumentMeta::Kind::Data) {
    return ops::TensorType{entry.shape, entry.dtype};
  }
  return entry.value;
}

std::string shape_text(const ops::ValueType& type) {
  const auto* tensor = std::get_if<ops::TensorType>(&type);
  return tensor == nullptr ? ir::repr(std::get<ir::Value>(type))
                           : fmt::format("{} {}", ir::name(tensor->dtype), ir::text(tensor->shape));
}

// The inputs against what their producers record, and the result against the op's rule.
void check_types(Site site, const ir::Graph& graph, const ir::Node& node,
                 const ir::Named<ops::ValueType>& types) {
  const ir::CommonMeta& common = *node.meta.common;
  const ops::Site call = ops::site_of(graph, node, types);
  for (const ops::CallArgument& argument : ops::call_arguments(call)) {
    const ir::ArgumentMeta* entry = ir::find(common.args, argument.name);
    if (entry == nullptr) {
      site.add("{} has no entry", argument.name);
    } else if (argument.is_data() && type_of(*entry) != argument.type) {
      site.add("{} is recorded as {}, its producer gives {}", argument.name,
               shape_text(type_of(*entry)), shape_text(argument.type));
    }
  }
  if (common.results.empty()) return;
  const ops::ValueType result = ops::op_of(node).infer(call);
  const ops::ValueType recorded = type_of(common.results[0].second);
  if (result != recorded) {
    site.add("{} of these inputs gives {}, recorded is {}", node.op, shape_text(result),
             shape_text(recorded));
  }
}

void check_parameters(Site site, const ir::Graph& graph, const ir::Node& node) {
  for (const auto& [name, entry] : node.meta.common->args) {
    if (entry.kind != ir::ArgumentMeta::Kind::Parameter) continue;
    const ir::Parameter* parameter = graph.parameter_of(node, name);
    if (parameter == nullptr) {
      site.add("{} has an entry, but the layer has no such parameter", name);
    } else if (parameter->value.shape() != entry.shape) {
      site.add("{} is recorded as {}, the parameter is {}", name, ir::text(entry.shape),
               ir::text(parameter->value.shape()));
    }
  }
}

// Bits that hold every sum of a linear layer: products grow by the width of both factors, a sum of
// n of them by log2 n, the bias adds one more.
void check_linear_result(Site site, const Entries& args, const ir::ArgumentMeta& result) {
  const ir::ArgumentMeta* data = ir::find(args, "data_in_0");
  const ir::ArgumentMeta* weight = ir::find(args, "weight");
  const ir::ArgumentMeta* bias = ir::find(args, "bias");
  if (data == nullptr || weight == nullptr || data->shape.empty()) return;
  const auto inputs = static_cast<std::uint64_t>(data->shape.back());
  const std::int64_t sum = bits(*weight, 0) + bits(*data, 0) + std::bit_width(inputs - 1);
  const std::int64_t width = std::max(bias == nullptr ? 0 : bits(*bias, 0), sum) + 1;
  const std::int64_t fraction =
      std::max(bias == nullptr ? 0 : bits(*bias, 1), bits(*data, 1) + bits(*weight, 1));
  if (bits(result, 0) != width || bits(result, 1) != fraction) {
    site.add("data_out_0 has precision {}, these inputs need [{}, {}]", ir::repr(result.precision),
             width, fraction);
  }
}

void check_result_format(Site site, const ir::Node& node) {
  const ir::CommonMeta& common = *node.meta.common;
  if (!ir::is_call(node.kind) || common.results.empty()) return;
  if (node.precision_of(ops::kResult) != nullptr) return;  // its own format, not what sums need
  const ir::ArgumentMeta& result = common.results[0].second;
  const ir::ArgumentMeta* data = ir::find(common.args, "data_in_0");
  if (result.type == "float" || data == nullptr) return;
  if (node.op == "linear" && is_fixed_point(result.type)) {
    check_linear_result(site, common.args, result);
  } else if (result.type != data->type || !(result.precision == data->precision)) {
    site.add("data_out_0 is {} {}, data_in_0 is {} {}", result.type, ir::repr(result.precision),
             data->type, ir::repr(data->precision));
  }
}

void check_range(Site site, std::string_view argument, std::string_view statistic,
                 const ir::Value& result) {
  const ir::Value* count = result.find("count");
  if (count != nullptr && count->is_number() && count->as_number() <= 0) {
    site.add("{} of {} counted nothing", statistic, argument);
  }
  const ir::Value* low = result.find("min");
  const ir::Value* high = result.find("max");
  const ir::Value* range = result.find("range");
  if (low == nullptr || high == nullptr || range == nullptr) return;
  if (!low->is_number() || !high->is_number() || !range->is_number()) return;
  const double difference = high->as_number() - low->as_number();
  const double slack = 1e-6 * std::max({1.0, std::abs(high->as_number()), std::abs(difference)});
  if (std::abs(range->as_number() - difference) > slack) {
    site.add("{} of {} has range {}, maximum minus minimum is {}", statistic, argument,
             ir::repr(range->as_number()), ir::repr(difference));
  }
}

void check_tables(Site site, std::string_view part, const ir::Named<ir::SoftwareEntry>& tables,
                  const ir::Named<ir::SoftwareEntry>& expected) {
  for (const auto& [name, entry] : expected) {
    if (ir::find(tables, name) == nullptr) site.add("{} has no table for {}", part, name);
  }
  for (const auto& [name, entry] : tables) {
    if (ir::find(expected, name) == nullptr) site.add("{} has a table for {}", part, name);
    const auto* stats = entry.stat.get<ir::Dict>();
    if (stats == nullptr) {
      site.add("stat of {} is no table", name);
      continue;
    }
    for (const auto& [statistic, result] : *stats) {
      if (statistics::find_statistic(statistic) == nullptr) {
        site.add("{} has the unknown statistic '{}'", name, statistic);
      }
      check_range(site, name, statistic, result);
    }
  }
}

PassResult report(const ir::Graph& graph, const std::vector<Problem>& problems, Context& context) {
  Diagnostics diagnostics;
  for (const Problem& problem : problems) {
    diagnostics.add(problem.message, problem.where, problem.hint);
  }
  diagnostics.throw_if_any(ErrorKind::CheckFailed);
  context.log_info(fmt::format("The metadata of {} nodes hold", graph.nodes().size()));
  return {.graph = graph,
          .info = ir::Dict{{"nodes", static_cast<std::int64_t>(graph.nodes().size())}}};
}

PassResult run_common(const ir::Graph& graph, const Options&, Context& context) {
  return report(graph, verify_common_metadata(graph), context);
}
PassResult run_software(const ir::Graph& graph, const Options&, Context& context) {
  return report(graph, verify_software_metadata(graph), context);
}
PassResult run_both(const ir::Graph& graph, const Options&, Context& context) {
  std::vector<Problem> problems = verify_common_metadata(graph);
  for (Problem& problem : verify_software_metadata(graph)) problems.push_back(std::move(problem));
  return report(graph, problems, context);
}

}  // namespace

std::vector<Problem> verify_common_metadata(const ir::Graph& graph) {
  std::vector<Problem> problems;
  ir::Named<ops::ValueType> types;
  std::set<std::string> names;
  for (const ir::Node& node : graph) {
    Site site(node, problems);
    if (!names.insert(ir::vf(node.name)).second) site.add("another node has the same name");
    if (!node.meta.common || node.meta.common->mase_type.empty()) {
      site.add("has no common metadata");
      types.emplace_back(node.name, ir::Value());
      continue;
    }
    const ir::CommonMeta& common = *node.meta.common;
    const std::string_view type = ops::name(ops::kind_of(node));
    if (common.mase_type != type) site.add("type is {}, recorded is {}", type, common.mase_type);
    if (common.mase_op != node.op) site.add("op is {}, recorded is {}", node.op, common.mase_op);
    if (common.results.size() > 1) site.add("has {} results", common.results.size());
    for (const auto& [name, entry] : common.args) {
      if (entry.kind == ir::ArgumentMeta::Kind::Constant) continue;
      check_format(site, name, entry);
      check_precision(site, node, name, entry);
    }
    for (const auto& [name, entry] : common.results) {
      if (entry.kind != ir::ArgumentMeta::Kind::Data) continue;
      check_format(site, name, entry);
      if (node.precision_of(name) != nullptr) check_precision(site, node, name, entry);
    }
    check_parameters(site, graph, node);
    check_result_format(site, node);
    if (ir::is_call(node.kind)) {
      try {
        check_types(site, graph, node, types);
      } catch (const Error& error) {
        site.add("{}", error.message());
      }
    }
    types.emplace_back(node.name, common.results.empty() ? ops::ValueType(ir::Value())
                                                         : type_of(common.results[0].second));
  }
  return problems;
}

std::vector<Problem> verify_software_metadata(const ir::Graph& graph) {
  std::vector<Problem> problems;
  for (const ir::Node& node : graph) {
    Site site(node, problems);
    if (!node.meta.software) {
      site.add("has no software metadata");
      continue;
    }
    const ir::SoftwareMeta expected = software_tables(graph, node);
    check_tables(site, "software.args", node.meta.software->args, expected.args);
    check_tables(site, "software.results", node.meta.software->results, expected.results);
  }
  return problems;
}

const Pass kVerifyCommonMetadata{
    .name = "verify_common_metadata",
    .kind = PassKind::Analysis,
    .summary = "check that shapes, types and formats in the metadata fit the graph",
    .needs = {"add_common_metadata"},
    .run = run_common,
};

const Pass kVerifyMetadata{
    .name = "verify_metadata",
    .kind = PassKind::Analysis,
    .summary = "check common and software metadata",
    .needs = {"add_software_metadata"},
    .run = run_both,
};

const Pass kVerifySoftwareMetadata{
    .name = "verify_software_metadata",
    .kind = PassKind::Analysis,
    .summary = "check that tables and statistics in the metadata fit the graph",
    .needs = {"add_software_metadata"},
    .run = run_software,
};

}  // namespace mase::passes
