// report_quantized: every quantised parameter as float value, code, quantised value and error.
#include "mase/passes/analysis/report_quantized.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "mase/io/arrays/npz.h"
#include "mase/ir/format_state.h"
#include "mase/ir/value.h"
#include "mase/support/files.h"
#include "mase/support/table.h"

namespace mase::passes {
namespace {

QuantisedParameter measure(const ir::Graph& graph, const ir::Parameter& parameter,
                           const ir::Node& node, std::string_view argument,
                           const numerics::Precision& precision) {
  QuantisedParameter out{.name = parameter.name, .node = node.name, .precision = precision};
  out.values = parameter.value.to(ir::DType::Float32);
  const auto values = std::as_const(out.values).values<float>();
  const ir::FormatStateValues state(graph, node, argument, precision);
  numerics::Edge edge = ir::edge_of(graph, node, argument, out.values.shape());
  edge.state = state.spans();

  out.encoded = numerics::encode(precision, edge, values);
  out.codes = ir::Tensor::from<std::int64_t>(out.values.shape(), out.encoded.elements);
  out.quantised = ir::Tensor(out.values.shape(), ir::DType::Float32);
  numerics::quantise(precision, edge, values, out.quantised.values_mut<float>());
  out.saturated = numerics::out_of_range(precision, edge, values);

  out.errors = ir::Tensor(out.values.shape(), ir::DType::Float32);
  const auto errors = out.errors.values_mut<float>();
  const auto quantised = std::as_const(out.quantised).values<float>();
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    errors[i] = quantised[i] - values[i];
    const double error = std::abs(static_cast<double>(errors[i]));
    out.largest_error = std::max(out.largest_error, error);
    sum += error;
  }
  out.mean_error = values.empty() ? 0 : sum / static_cast<double>(values.size());
  return out;
}

std::string summary_table(const std::vector<QuantisedParameter>& parameters) {
  std::vector<std::vector<Cell>> rows;
  for (const QuantisedParameter& p : parameters) {
    rows.push_back(
        {p.name, p.precision.text(), p.values.size(), p.saturated, p.largest_error, p.mean_error});
  }
  return format_table(
      {"Parameter", "Format", "Elements", "Saturated", "Largest error", "Mean error"}, rows,
      {.style = TableStyle::Orgtbl});
}

std::string first_elements(const QuantisedParameter& p, std::int64_t count) {
  std::vector<std::vector<Cell>> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    rows.push_back({p.values.at(i), p.code_text(i), p.quantised.at(i) + 0.0, p.errors.at(i)});
  }
  return format_table({"Value", "Code", "Quantised", "Error"}, rows,
                      {.style = TableStyle::Orgtbl,
                       .align = {Align::Natural, Align::Right, Align::Natural, Align::Natural}});
}

// The arrays of a parameter under the names of the full dump.
ir::Named<const ir::Tensor*> arrays(const QuantisedParameter& p) {
  return {{"values", &p.values},
          {"codes", &p.codes},
          {"quantised", &p.quantised},
          {"errors", &p.errors}};
}

PassResult run_report_quantized(const ir::Graph& graph, const Options& options, Context& context) {
  const QuantizedReport report = report_quantized(graph);
  const std::int64_t first = options.integer("first");
  if (report.parameters.empty()) {
    context.log_warning("report_quantized: no parameter of this graph is quantised");
  } else {
    context.output() << report.text(first) << '\n';
  }
  if (options.find("save_path")) {
    save_quantized(report, options.text("save_path"));
    context.log_info(
        fmt::format("Quantised parameters are saved to {}", options.text("save_path")));
  }
  return {.graph = graph, .info = report.to_value(), .hits = {}};
}

}  // namespace

std::string QuantisedParameter::code_text(std::int64_t i) const {
  return precision.format->code_text(precision, numerics::parameter_edge(values.shape()), encoded,
                                     static_cast<std::size_t>(i));
}

QuantisedParameter quantised_parameter(const ir::Graph& graph, const ir::Node& node,
                                       std::string_view argument) {
  const ir::Parameter* parameter = graph.parameter_of(node, argument);
  if (!parameter) {
    usage_error(fmt::format("no parameter '{}'", argument), {.file = {}, .node = node.name});
  }
  const numerics::Precision* precision = node.precision_of(argument);
  if (!precision) {
    usage_error(fmt::format("parameter '{}' is not quantised", argument),
                {.file = {}, .node = node.name}, "run quantize first");
  }
  return measure(graph, *parameter, node, argument, *precision);
}

QuantizedReport report_quantized(const ir::Graph& graph) {
  QuantizedReport report;
  for (const ir::Node& node : graph) {
    for (const auto& [argument, configured] : node.precision) {
      const ir::Parameter* parameter = graph.parameter_of(node, argument);
      const numerics::Precision* precision = node.precision_of(argument);
      if (!parameter || !precision) continue;
      report.parameters.push_back(measure(graph, *parameter, node, argument, *precision));
    }
  }
  return report;
}

std::string QuantizedReport::text(std::int64_t first) const {
  std::string out = summary_table(parameters);
  if (first == 0) return out;
  for (const QuantisedParameter& p : parameters) {
    const std::int64_t count = std::min(first, p.values.size());
    out += fmt::format("\n\n{}, {} of {}:\n{}", p.name, count, p.values.size(),
                       first_elements(p, count));
  }
  return out;
}

ir::Value QuantizedReport::to_value() const {
  ir::List out;
  for (const QuantisedParameter& p : parameters) {
    out.push_back(ir::Dict{{"parameter", p.name},
                           {"node", p.node},
                           {"format", p.precision.text()},
                           {"elements", p.values.size()},
                           {"saturated", p.saturated},
                           {"largest_error", p.largest_error},
                           {"mean_error", p.mean_error}});
  }
  return ir::Dict{{"parameters", std::move(out)}};
}

void save_quantized(const QuantizedReport& report, const std::filesystem::path& path) {
  if (path.extension() == ".npz") {
    ir::State all;
    for (const QuantisedParameter& p : report.parameters) {
      for (const auto& [key, tensor] : arrays(p)) all.emplace_back(p.name + "." + key, *tensor);
    }
    io::write_npz(path, all);
    return;
  }
  if (path.extension() != ".json") {
    usage_error("the name of the dump must end in .npz or .json", {.file = path.string()});
  }
  nlohmann::ordered_json all;
  for (const QuantisedParameter& p : report.parameters) {
    nlohmann::ordered_json& entry = all[p.name];
    entry["format"] = p.precision.text();
    for (const auto& [key, tensor] : arrays(p)) entry[key] = ir::to_json(ir::Value(*tensor));
  }
  write_file(path, ir::json_text(all, 1) + "\n");
}

const Pass kReportQuantized{
    .name = "report_quantized",
    .kind = PassKind::Analysis,
    .summary = "each quantised parameter: value, code, quantised value, error, saturation",
    .options = {{.name = "first",
                 .type = FieldType::Int,
                 .standard = 8,
                 .low = 0,
                 .help = "elements of each parameter that are printed"},
                {.name = "save_path",
                 .type = FieldType::Path,
                 .standard = kOpen,
                 .help = "a .npz or .json file for all elements",
                 .example = "\"quantised.json\""}},
    .run = run_report_quantized,
};

}  // namespace mase::passes
