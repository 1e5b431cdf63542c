// report_node_meta_param: the metadata of every node as a table.
#include "mase/passes/analysis/report_node_meta_param.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "mase/passes/analysis/metadata_text.h"
#include "mase/support/files.h"
#include "mase/support/suggest.h"
#include "mase/support/table.h"

namespace mase::passes {
namespace {

ir::Value common_of(const ir::Node& node) {
  return printable(*node.meta.common);
}
ir::Value hardware_of(const ir::Node& node) {
  return node.meta.hardware;
}
ir::Value software_of(const ir::Node& node) {
  return node.meta.software ? node.meta.software->to_value() : ir::Value(ir::Dict{});
}

// A kind of metadata, its column, and how it is had.
struct Part {
  std::string_view name;
  std::string_view header;
  ir::Value (*of)(const ir::Node&);
};

constexpr std::array kParts{Part{"common", "Common Param", common_of},
                            Part{"hardware", "Hardware Param", hardware_of},
                            Part{"software", "Software Param", software_of}};

std::vector<Part> chosen_parts(const std::vector<std::string>& which) {
  std::vector<std::string> known{"all"};
  for (const Part& part : kParts) known.emplace_back(part.name);
  for (const std::string& name : which) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    usage_error(fmt::format("there is no metadata '{}'", name), {}, did_you_mean(name, known));
  }
  std::vector<Part> parts;
  for (const Part& part : kParts) {
    const bool wanted = std::any_of(which.begin(), which.end(), [&](const std::string& name) {
      return name == "all" || name == part.name;
    });
    if (wanted) parts.push_back(part);
  }
  return parts;
}

PassResult run_report_node_meta_param(const ir::Graph& graph, const Options& options,
                                      Context& context) {
  const ReportNodeMetaParamOptions chosen{options.texts("which")};
  const std::string table = report_node_meta_param(graph, chosen);
  context.print_report("Inspecting graph [add_common_meta_param_analysis_pass]", table);
  std::filesystem::path file;
  if (!context.folder.empty()) file = context.folder / "report";
  if (const ir::Value* path = options.find("save_path")) file = path->as_text();
  if (!file.empty()) {
    write_file(file, table + "\n");
    context.log_info(fmt::format("Node meta param table is saved to {}", file.string()));
  }
  ir::Dict info;
  for (const ir::Node& node : graph) {
    const ir::Value all = node.meta.to_value();
    ir::Dict entry;
    for (const Part& part : chosen_parts(chosen.which)) {
      entry.emplace_back(std::string(part.name), *all.find(part.name));
    }
    info.emplace_back(node.name, std::move(entry));
  }
  return {.graph = graph, .info = std::move(info)};
}

}  // namespace

std::string report_node_meta_param(const ir::Graph& graph,
                                   const ReportNodeMetaParamOptions& options) {
  const std::vector<Part> parts = chosen_parts(options.which);
  std::vector<std::string> headers{"Node name", "Fx Node op", "Mase type", "Mase op"};
  for (const Part& part : parts) headers.emplace_back(part.header);
  std::vector<std::vector<Cell>> rows;
  for (const ir::Node& node : graph) {
    rows.push_back(
        {node.name, std::string(ir::name(node.kind)), ir::mase_type(node), ir::mase_op(node)});
    for (const Part& part : parts) rows.back().push_back(ir::pretty(part.of(node)));
  }
  return format_table(headers, rows, {.style = TableStyle::Grid});
}

const Pass kReportNodeMetaParam{
    .name = "report_node_meta_param",
    .kind = PassKind::Analysis,
    .summary = "print the metadata of every node",
    .options = {{.name = "which",
                 .type = FieldType::List,
                 .standard = FieldValue::List{"all"},
                 .choices = {"all", "common", "hardware", "software"},
                 .items = FieldType::Text,
                 .help = "kinds of metadata"},
                {.name = "save_path",
                 .type = FieldType::Path,
                 .standard = kOpen,
                 .help = "also write the table there",
                 .example = "\"metadata.txt\""}},
    .needs = {"add_common_metadata"},
    .run = run_report_node_meta_param,
};

}  // namespace mase::passes
